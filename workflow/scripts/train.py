from pathlib import Path

from lib.files import read_json, read_table
from lib.jobs.scripts import training_job, training_options

with training_job(snakemake):
    from lib.predict.inputs import describe_inputs
    from lib.train.runs import train_runs

    files, params, fold = snakemake.input, snakemake.params, int(snakemake.wildcards.fold)
    best, examples = read_json(files.best), read_table(files.examples)
    given = training_options(snakemake, best["hyperparameters"], fold=fold, examples=examples)
    data = given["data"]
    inputs = describe_inputs(data.x, examples, data.rows["train"], **params.inputs)
    folders = [Path(record).parent for record in snakemake.output.run_json]
    train_runs(
        dict(zip(params.seeds, folders, strict=True)),
        **given,
        identity=params.identity | {"trial": best["trial"], "fold": fold, "inputs": inputs},
    )
