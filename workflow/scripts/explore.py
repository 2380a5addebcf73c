from lib.files import read_table, write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.explore import explore

    write_json(
        snakemake.output.exploration,
        explore(read_table(snakemake.input.examples), classes=snakemake.params.classes),
    )
