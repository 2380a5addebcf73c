from pathlib import Path

from lib.files import read_json, read_table
from lib.jobs import job

with job(snakemake.log[0]):
    from lib.callbacks import Training
    from lib.examples import open_examples
    from lib.train import Recipe, open_data, train_trial

    params, names = snakemake.params, snakemake.wildcards
    # The test part is left out here: a search cannot look at it.
    data = open_data(
        open_examples(snakemake.input.npy),
        read_table(snakemake.input.examples),
        read_table(snakemake.input.split),
        fold=0,
        classes=params.classes,
        scored=params.scored,
        parts=("train", "validation"),
    )
    train_trial(
        Path(snakemake.output.run).parent,
        data,
        Recipe(
            architecture=names.architecture,
            hyperparameters=params.hyperparameters,
            training=Training(**params.training),
            examples_hash=read_json(snakemake.input.digest)["sha256"],
            code=params.code,
            **params.compute,
            threads=snakemake.threads,
        ),
        identity={
            "study": names.study,
            "dataset": params.dataset,
            "simulated": params.simulated,
            "protocol": params.protocol,
            "honest": True,
            "trial": names.trial,
            "fold": 0,
        },
        seed=params.seed,
        store=Path("results") / names.study / "fits",
    )
