from pathlib import Path

from lib.files import read_json, read_table
from lib.jobs import job

with job(snakemake.log[0]):
    from lib.examples import open_examples
    from lib.fit import Training
    from lib.train import open_data, train_run

    params, names = snakemake.params, snakemake.wildcards
    best = read_json(snakemake.input.best)
    data = open_data(
        open_examples(snakemake.input.npy),
        read_table(snakemake.input.examples),
        read_table(snakemake.input.split),
        fold=int(names.fold),
        classes=params.classes,
        scored=params.scored,
    )
    for seed, record in zip(params.seeds, snakemake.output.run_json, strict=True):
        train_run(
            Path(record).parent,
            data,
            identity={
                "study": names.study,
                "dataset": params.dataset,
                "simulated": params.simulated,
                "protocol": names.protocol,
                "honest": params.honest,
                "architecture": names.architecture,
                "trial": best["trial"],
                "seed": seed,
                "fold": int(names.fold),
            },
            hyperparameters=best["hyperparameters"],
            training=Training(**params.training),
            examples_hash=read_json(snakemake.input.digest)["sha256"],
            code=params.code,
            backend=params.backend,
            threads=snakemake.threads,
        )
