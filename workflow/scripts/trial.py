from pathlib import Path

from lib.files import read_json
from lib.jobs.scripts import training_job

compute = snakemake.params.compute
# Not a param: how many share a GPU changes no result.
share = int(snakemake.config["runs_per_gpu"])

with training_job(snakemake.log[0], compute, runs_per_gpu=share) as logger:
    from lib.progress import doing
    from lib.train.data import read_search_data
    from lib.train.recipe import Recipe, Training
    from lib.train.runs import train_trial

    files, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    number = f"trial {snakemake.resources.trial} of {snakemake.resources.trials}"
    logger.info("%s", number, extra=doing(number))
    train_trial(
        Path(snakemake.output.run).parent,
        read_search_data(
            files.npy,
            files.examples,
            files.split,
            classes=params.classes,
            scored=params.scored,
            digest=read_json(files.digest)["sha256"],
        ),
        Recipe(
            architecture=names.architecture,
            hyperparameters=params.hyperparameters,
            training=Training(**params.training),
            **compute,
            threads=snakemake.threads,
        ),
        identity=params.identity | {"trial": names.trial, "fold": 0},
        seed=params.seed,
        store=Path("results") / names.study / "fits",
    )
