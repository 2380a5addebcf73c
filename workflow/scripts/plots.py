from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from pathlib import Path

    from lib.plots import plot_study

    tables = Path(snakemake.input.tables[0]).parent
    plot_study(
        snakemake.params.study,
        tables=tables,
        results=tables.parent,
        folder=snakemake.output.folder,
    )
