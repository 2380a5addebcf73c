from pathlib import Path

from lib.files import write_json
from lib.jobs.scripts import training_job, training_options

with training_job(snakemake):
    from lib.search.bayes import Sweep, work

    params = snakemake.params
    journal = work(
        Path(snakemake.output.done).parent,
        **training_options(snakemake, params.search["fixed"]),
        sweep=Sweep.of(params.search, seed=params.seed),
        worker=int(snakemake.wildcards.worker),
        identity=params.identity | {"fold": 0},
    )
    write_json(snakemake.output.done, journal)
