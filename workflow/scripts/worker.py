from pathlib import Path

from lib.files import read_table, write_json
from lib.jobs.scripts import training_job, training_options

with training_job(snakemake):
    from lib.search.bayes import Sweep, work
    from lib.search.folds import fold_data

    params = snakemake.params
    given = training_options(snakemake, params.search["fixed"])
    if params.choice:
        groups = read_table(snakemake.input.examples)["group"]
        dealt = {name: params.choice[name] for name in ("folds", "seed")}
        given["folds"] = fold_data(given["data"], groups, **dealt)
    journal = work(
        Path(snakemake.output.done).parent,
        **given,
        sweep=Sweep.of(params.search, seed=params.seed),
        worker=int(snakemake.wildcards.worker),
        identity=params.identity | {"fold": 0},
    )
    write_json(snakemake.output.done, journal)
