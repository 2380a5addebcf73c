from pathlib import Path

from lib.files import read_json, read_table
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.examples.arrays import open_examples
    from lib.train.baselines import baseline_run
    from lib.train.data import open_data

    params, names = snakemake.params, snakemake.wildcards
    examples = read_table(snakemake.input.examples)
    data = open_data(
        open_examples(snakemake.input.npy),
        examples,
        read_table(snakemake.input.split),
        fold=int(names.fold),
        classes=params.classes,
        scored=params.scored,
    )
    root = Path(snakemake.output.runs[0]).parents[3]
    for baseline in params.baselines:
        baseline_run(
            root / baseline / "seed-0" / f"fold-{names.fold}",
            data,
            examples,
            identity=params.identity
            | {"architecture": baseline, "trial": baseline, "seed": 0, "fold": int(names.fold)},
            seed=params.seed,
            refit=params.refit,
            # Of an own folder, what metadata.csv says and no network is told.
            numbers=read_json(snakemake.input.manifest).get("numbers"),
        )
