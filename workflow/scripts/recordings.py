from pathlib import Path

from lib.files import read_json, write_table
from lib.jobs import job

with job(snakemake.log[0]):
    from lib.recordings import deal, recordings_table

    manifest = Path(snakemake.input.manifest)
    table = recordings_table(
        snakemake.params.dataset,
        manifest.with_suffix(""),
        classes=snakemake.params.classes,
        manifest=read_json(manifest),
        **snakemake.params.recordings,
    )
    write_table(snakemake.output.table, table)
    for path, shard in zip(
        snakemake.output.shards, deal(table, len(snakemake.output.shards)), strict=True
    ):
        write_table(path, shard)
