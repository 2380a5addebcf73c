from pathlib import Path

from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.compare import compare

    compare(
        snakemake.params.descriptions,
        results="results",
        tables=Path(snakemake.output.tables[0]).parent,
        claims=snakemake.input.claims,
        seed=snakemake.params.seed,
        resamples=snakemake.params.resamples,
    )
