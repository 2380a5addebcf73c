from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.examples.assembly import assemble
    from lib.files import sha256, write_json
    from lib.recordings.table import read_recordings

    made_with = assemble(
        snakemake.input.shards,
        read_recordings(snakemake.input.recordings),
        npy=snakemake.output.npy,
        parquet=snakemake.output.examples,
    )
    digest = {"sha256": sha256(snakemake.output.npy), "made_with": made_with}
    write_json(snakemake.output.digest, digest)
