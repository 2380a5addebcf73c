from pathlib import Path

from lib.files import read_yaml, write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.retrieve import retrieve

    simulation = snakemake.params.simulation
    if simulation is not None:
        simulation = {key: simulation[key] for key in ("seed", "scale")}
    manifest = Path(snakemake.output.manifest)
    write_json(
        manifest,
        retrieve(
            snakemake.wildcards.dataset,
            source=snakemake.params.source,
            folder=manifest.with_suffix(""),
            registry=read_yaml(snakemake.input.registry),
            mirror=snakemake.params.mirror,
            simulation=simulation,
        ),
    )
