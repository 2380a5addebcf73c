from pathlib import Path

from lib.files import write_json
from lib.jobs.scripts import training_job, training_options

with training_job(snakemake):
    from lib.search.bayes import Sweep, work
    from lib.search.folds import chosen_folds

    params = snakemake.params
    given = training_options(snakemake, params.search["fixed"])
    journal = work(
        Path(snakemake.output.done).parent,
        **given,
        folds=chosen_folds(given["data"], snakemake.input.examples, params.choice) or (),
        sweep=Sweep.of(params.search, seed=params.seed),
        worker=int(snakemake.wildcards.worker),
        identity=params.identity | {"fold": 0},
    )
    write_json(snakemake.output.done, journal)
