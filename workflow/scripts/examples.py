from lib.files import write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.examples.assembly import assemble
    from lib.features.copies import settle
    from lib.recordings.table import read_recordings

    shards, recordings = snakemake.input.shards, read_recordings(snakemake.input.recordings)
    copies, left_out = settle(
        shards, recordings, dataset=snakemake.params.dataset, reading=snakemake.params.reading
    )
    made = assemble(
        shards,
        recordings,
        npy=snakemake.output.npy,
        parquet=snakemake.output.examples,
        copies=[(copy.first, copy.second) for copy in copies],
        left_out=left_out,
        context=snakemake.params.context,
    )
    made |= {"recordings": len(recordings), "left_out": left_out}
    write_json(snakemake.output.digest, made | {"copies": [copy._asdict() for copy in copies]})
