from lib.files import read_json, read_table, write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.explore import explore

    made = read_json(snakemake.input.digest)
    exploration = explore(
        read_table(snakemake.input.examples),
        classes=snakemake.params.classes,
        **{name: made[name] for name in ("recordings", "copies", "left_out")},
    )
    write_json(snakemake.output.exploration, exploration)
