from pathlib import Path

from lib.files import read_json, read_table
from lib.jobs.scripts import training_job

compute = snakemake.params.compute
# Not a param: how many share a GPU changes no result.
share = int(snakemake.config["runs_per_gpu"])

with training_job(snakemake.log[0], compute, runs_per_gpu=share):
    from lib.predict.inputs import describe_inputs
    from lib.train.data import read_data
    from lib.train.recipe import Recipe, Training
    from lib.train.runs import train_runs

    files, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    best, fold = read_json(files.best), int(names.fold)
    folders = [Path(record).parent for record in snakemake.output.run_json]
    data = read_data(
        files.npy,
        files.examples,
        files.split,
        fold=fold,
        classes=params.classes,
        scored=params.scored,
        digest=read_json(files.digest)["sha256"],
    )
    inputs = describe_inputs(
        data.x, read_table(files.examples), data.rows["train"], **params.inputs
    )
    train_runs(
        dict(zip(params.seeds, folders, strict=True)),
        data,
        Recipe(
            architecture=names.architecture,
            hyperparameters=best["hyperparameters"],
            training=Training(**params.training),
            **compute,
            threads=snakemake.threads,
        ),
        identity=params.identity | {"trial": best["trial"], "fold": fold, "inputs": inputs},
        store=Path("results") / names.study / "fits",
    )
