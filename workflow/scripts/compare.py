from pathlib import Path

from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.compare import compare
    from lib.project import path_of

    tables = Path(snakemake.output.tables[0]).parent
    compare(
        snakemake.params.descriptions,
        results=tables.parent,
        tables=tables,
        claims=path_of("resources/claims.csv"),
        seed=snakemake.params.seed,
        resamples=snakemake.params.resamples,
    )
