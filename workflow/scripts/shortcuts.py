from lib.files import read_table, write_json
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.examples.arrays import open_examples
    from lib.recordings.table import read_recordings
    from lib.shortcuts import shortcuts_of

    files, params = snakemake.input, snakemake.params
    made = shortcuts_of(
        open_examples(files.npy),
        read_table(files.examples),
        read_recordings(files.recordings),
        read_table(files.split),
        scored=params.scored,
        seed=params.seed,
        resamples=params.resamples,
    )
    write_json(snakemake.output.shortcuts, made)
