from pathlib import Path

from lib.files import read_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.plots import plot_overall
    from lib.provenance import commit, durations, hardware, versions
    from lib.report import render

    studies, tables = snakemake.params.descriptions, Path(snakemake.input.tables[0]).parent
    plots = Path(snakemake.output.inflation).parent
    made_with = {
        Path(path).parent.name: ", ".join(
            " ".join(one) for one in read_json(path)["made_with"].items()
        )
        for path in snakemake.input.examples
    }
    plot_overall(studies, tables=tables, folder=plots)
    render(
        studies,
        tables=tables,
        plots=plots,
        results="results",
        manifests=[read_json(path) for path in snakemake.input.manifests],
        provenance={
            "commit": commit(Path()),
            "config": snakemake.params.config,
            "versions": versions(),
            "features_made_with": made_with,
            "hardware": hardware(),
            "durations": durations(Path("logs")),
        },
        output=snakemake.output.page,
    )
