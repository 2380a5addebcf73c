from pathlib import Path

from lib.files import read_json, write_table
from lib.jobs.place import dataset_folder, packed
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.recordings.shards import deal, shards_for
    from lib.recordings.table import recordings_table

    manifest = Path(snakemake.input.manifest)
    table = recordings_table(
        snakemake.params.dataset,
        dataset_folder(manifest),
        classes=snakemake.params.labels,
        manifest=read_json(manifest),
        **snakemake.params.recordings,
    )
    write_table(snakemake.output.table, table)
    shards = snakemake.params.shards or shards_for(len(table))
    with packed(snakemake.output.shards) as folder:
        for number, shard in enumerate(deal(table, shards)):
            write_table(folder / f"{number}.csv", shard)
