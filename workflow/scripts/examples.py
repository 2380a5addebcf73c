from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.examples.assembly import assemble
    from lib.examples.context import examples_digest
    from lib.files import read_table, write_json
    from lib.recordings.table import read_recordings

    made_with = assemble(
        snakemake.input.shards,
        read_recordings(snakemake.input.recordings),
        npy=snakemake.output.npy,
        parquet=snakemake.output.examples,
    )
    digest = examples_digest(snakemake.output.npy, read_table(snakemake.output.examples))
    write_json(snakemake.output.digest, {"sha256": digest, "made_with": made_with})
