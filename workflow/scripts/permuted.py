from pathlib import Path

from lib.files import read_json, read_table
from lib.jobs.scripts import training_job, training_options

with training_job(snakemake):
    from lib.shortcuts import deal_data
    from lib.train.runs import train_trial

    files, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    best, examples = read_json(files.best), read_table(files.examples)
    fold = int(names.fold)
    given = training_options(snakemake, best["hyperparameters"], fold=fold, examples=examples)
    dealt = deal_data(
        given.pop("data"),
        examples,
        read_table(files.split),
        fold=fold,
        number=int(names.permutation),
        seed=params.dealt,
    )
    train_trial(
        Path(snakemake.output.run).parent,
        data=dealt,
        **given,
        identity=params.identity | {"trial": best["trial"], "fold": fold},
        seed=params.seed,
    )
