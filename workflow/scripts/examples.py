from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.examples.assembly import assemble, undecodable
    from lib.examples.context import examples_digest
    from lib.features.copies import contradictions, find_copies
    from lib.files import read_table, write_json
    from lib.recordings.table import read_recordings

    shards, recordings = snakemake.input.shards, read_recordings(snakemake.input.recordings)
    copies = find_copies(
        shards, recordings, dataset=snakemake.params.dataset, reading=snakemake.params.reading
    )
    labels = dict(zip(recordings["recording"], recordings["label"], strict=True))
    pairs = [(copy.first, copy.second) for copy in copies]
    left_out = undecodable(shards) | contradictions(pairs, labels)
    copies = [copy for copy in copies if not {copy.first, copy.second} & set(left_out)]
    made_with = assemble(
        shards,
        recordings,
        npy=snakemake.output.npy,
        parquet=snakemake.output.examples,
        copies=[(copy.first, copy.second) for copy in copies],
        left_out=left_out,
    )
    write_json(
        snakemake.output.digest,
        {
            "sha256": examples_digest(snakemake.output.npy, read_table(snakemake.output.examples)),
            "made_with": made_with,
            "recordings": len(recordings),
            "copies": [copy._asdict() for copy in copies],
            "left_out": left_out,
        },
    )
