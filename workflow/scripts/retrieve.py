from pathlib import Path

from lib.files import read_yaml, write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.retrieve import retrieve

    chosen = dict(snakemake.params.retrieval)
    # The hash of the simulator's code is there to have the rule run again.
    chosen.pop("code")
    manifest = Path(snakemake.output.manifest)
    write_json(
        manifest,
        retrieve(
            snakemake.wildcards.dataset,
            folder=manifest.with_suffix(""),
            registry=read_yaml(snakemake.input.registry),
            **chosen,
        ),
    )
