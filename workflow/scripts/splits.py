from lib.files import read_table, write_table
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.splits import make_split

    examples = read_table(snakemake.input.examples)
    split = make_split(examples, seed=snakemake.params.seed, **snakemake.params.split)
    write_table(snakemake.output.split, split)
