from lib.jobs.place import unpacked
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.features import write_shard
    from lib.recordings.table import read_recordings

    settings = dict(snakemake.params.features)
    with unpacked(snakemake.input.recordings) as found:
        table = found / f"{snakemake.wildcards.shard}.csv" if found.is_dir() else found
        recordings = read_recordings(table)
    write_shard(
        snakemake.output.shard,
        recordings,
        dataset=snakemake.params.dataset,
        kind=settings.pop("kind"),
        settings=settings,
        classes=snakemake.params.labels,
        reading=snakemake.params.reading,
        made_with=snakemake.params.made_with,
    )
