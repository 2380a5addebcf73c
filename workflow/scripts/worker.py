from pathlib import Path

from lib.files import read_json, read_table, write_json
from lib.jobs import job

with job(snakemake.log[0]):
    from lib.bayes import Sweep, work
    from lib.callbacks import Training
    from lib.examples import open_examples
    from lib.train import Recipe, open_data

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
    search = params.search
    journal = work(
        Path(snakemake.output.done).parent,
        data,
        Recipe(
            architecture=names.architecture,
            hyperparameters=search["fixed"],
            training=Training(**params.training),
            examples_hash=read_json(snakemake.input.digest)["sha256"],
            code=params.training_code,
            **params.compute,
            threads=snakemake.threads,
        ),
        Sweep(
            space=search["space"],
            trials=search["trials"],
            seed=params.seed,
            stopping=search["stopping"],
            min_epochs=search["min_epochs"],
            factor=search["factor"],
        ),
        worker=int(names.worker),
        identity={
            "study": names.study,
            "dataset": params.dataset,
            "simulated": params.simulated,
            "protocol": params.protocol,
            "honest": True,
            "fold": 0,
        },
        store=Path("results") / names.study / "fits",
    )
    write_json(snakemake.output.done, journal)
