from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.features import write_shard
    from lib.recordings.table import read_recordings

    settings = dict(snakemake.params.features)
    write_shard(
        snakemake.output.shard,
        read_recordings(snakemake.input.recordings),
        dataset=snakemake.params.dataset,
        kind=settings.pop("kind"),
        settings=settings,
        classes=snakemake.params.labels,
        reading=snakemake.params.reading,
        made_with=snakemake.params.made_with,
    )
