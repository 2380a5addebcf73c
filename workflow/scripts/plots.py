from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from pathlib import Path

    from lib.plots import plot_study

    plot_study(
        snakemake.params.study,
        tables=Path(snakemake.input.tables[0]).parent,
        results="results",
        folder=snakemake.output.folder,
    )
