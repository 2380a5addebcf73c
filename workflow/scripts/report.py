import shutil
from pathlib import Path

from lib.files import read_json, write_json
from lib.jobs.place import packed
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from datetime import UTC, datetime

    from lib.plots import plot_overall
    from lib.project import ROOT
    from lib.provenance import durations, hardware, revision, versions
    from lib.report import links, render, write_checklists

    studies, tables = snakemake.params.descriptions, Path(snakemake.input.tables[0]).parent
    plots = Path(snakemake.output.inflation).parent
    made_with = {
        Path(path).parent.name: ", ".join(
            " ".join(one) for one in read_json(path)["made_with"].items()
        )
        for path in snakemake.input.examples
    }
    manifests = [read_json(path) for path in snakemake.input.manifests]
    provenance = {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": revision(ROOT),
        "config": snakemake.params.config,
        "versions": versions(),
        "features_made_with": made_with,
        "hardware": hardware(),
        "durations": durations(Path(snakemake.log[0]).parent),
    }
    for archive in [Path(path) for path in snakemake.input.plots if Path(path).suffix == ".zip"]:
        shutil.unpack_archive(archive, plots / archive.stem)
    plot_overall(studies, tables=tables, folder=plots)
    page = snakemake.output.page
    known = {
        "tables": tables,
        "results": tables.parent,
        "manifests": manifests,
        "provenance": provenance,
    }
    render(studies, plots=plots, output=page, checklists=links(studies), **known)
    with packed(snakemake.output.checklists) as folder:
        write_checklists(studies, page=page, folder=folder, **known)
    # For whoever reads the tables without the page.
    versions_of_data = {one["dataset"]: one["version"] for one in manifests}
    write_json(
        snakemake.output.provenance,
        {**provenance, "datasets": versions_of_data, "studies": studies},
    )
