from pathlib import Path

from lib.files import write_json
from lib.jobs.place import dataset_folder
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.project import path_of
    from lib.retrieve import read_registry, retrieve

    chosen = dict(snakemake.params.retrieval)
    # These are there to have the rule run again.
    del chosen["code"], chosen["layout"], chosen["listing"]
    manifest = Path(snakemake.output.manifest)
    write_json(
        manifest,
        retrieve(
            snakemake.wildcards.dataset,
            folder=dataset_folder(manifest),
            registry=read_registry(
                path_of(f"resources/registry/{snakemake.wildcards.dataset}.yaml")
            ),
            copies=list(snakemake.input.copies) or None,
            **chosen,
        ),
    )
