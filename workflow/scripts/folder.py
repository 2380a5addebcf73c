from pathlib import Path

from lib.files import write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.own.survey import link, survey

    folder, manifest = snakemake.params.folder, Path(snakemake.output.manifest)
    found = survey(
        folder["path"],
        dataset=snakemake.wildcards.dataset,
        groups=folder.get("groups"),
        beats=folder.get("beats"),
        asked=snakemake.params.asked,
        faulty=folder.get("faulty", "leave_out"),
        reading=snakemake.params.reading,
        threads=snakemake.threads,
    )
    link(folder["path"], manifest.with_suffix(""))
    write_json(manifest, found)
