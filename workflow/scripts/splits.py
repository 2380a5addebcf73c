from lib.files import read_table, write_table
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.recordings.table import read_recordings
    from lib.splits import make_split

    rule = snakemake.params.split
    split = make_split(
        read_table(snakemake.input.examples),
        seed=snakemake.params.seed,
        recordings=read_recordings(snakemake.input.recordings, text=[rule.get("by", "")]),
        **rule,
    )
    write_table(snakemake.output.split, split)
