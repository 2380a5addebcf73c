from lib.jobs.place import packed
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from pathlib import Path

    from lib.plots import plot_study

    tables = Path(snakemake.input.tables[0]).parent
    with packed(snakemake.output.folder) as folder:
        plot_study(
            snakemake.params.study,
            tables=tables,
            results=tables.parent,
            folder=folder,
        )
