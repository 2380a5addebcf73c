from pathlib import Path

from lib.files import write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.retrieve import read_registry, retrieve

    chosen = dict(snakemake.params.retrieval)
    # These are there to have the rule run again.
    del chosen["code"], chosen["layout"], chosen["listing"]
    manifest = Path(snakemake.output.manifest)
    write_json(
        manifest,
        retrieve(
            snakemake.wildcards.dataset,
            folder=manifest.with_suffix(""),
            registry=read_registry(snakemake.input.registry),
            copies=list(snakemake.input.copies) or None,
            **chosen,
        ),
    )
