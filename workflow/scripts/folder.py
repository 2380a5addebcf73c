from pathlib import Path

from lib.files import write_json
from lib.jobs.place import dataset_folder
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.own.survey import link, survey

    chosen, manifest = snakemake.params.survey, Path(snakemake.output.manifest)
    folder = chosen["folder"]
    surveyed = survey(
        folder["path"],
        dataset=snakemake.wildcards.dataset,
        groups=folder.get("groups"),
        beats=folder.get("beats"),
        context=folder.get("context", []),
        exclude=chosen["exclude"],
        asked=chosen["asked"],
        columns=chosen["columns"],
        faulty=folder.get("faulty", "leave_out"),
        reading=chosen["reading"],
        threads=snakemake.threads,
    )
    link(folder["path"], dataset_folder(manifest))
    write_json(manifest, surveyed)
