from pathlib import Path
from shutil import copyfile

from lib.files import atomic, read_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.project import path_of
    from lib.provenance import span
    from lib.records import published_at, write_crate, write_croissant

    studies = snakemake.params.descriptions
    recordings = {Path(path).parent.name: path for path in snakemake.input.recordings}
    manifests = [read_json(path) for path in snakemake.input.manifests]
    for file, manifest, output in zip(
        snakemake.input.manifests, manifests, snakemake.output.croissant, strict=True
    ):
        dataset = manifest["dataset"]
        of = [study["study"] for study in studies if study["dataset"] == dataset]
        write_croissant(
            output,
            manifest=manifest,
            manifest_file=file,
            recordings={study: recordings[study] for study in of},
            addresses=published_at(path_of(f"resources/registry/{dataset}.yaml"))
            if dataset in snakemake.params.published
            else {},
        )
    with atomic(snakemake.output.workflow) as part:
        copyfile(path_of("workflow/Snakefile"), part)
    write_crate(
        snakemake.output.crate,
        studies=studies,
        manifests=manifests,
        provenance=read_json(snakemake.input.provenance),
        times=span(Path(snakemake.log[0]).parent),
    )
