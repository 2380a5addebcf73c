from pathlib import Path

from lib.files import write_json, write_table
from lib.jobs import job

with job(snakemake.log[0]):
    from lib.search import best_trial, trials_table

    trials = snakemake.params.trials
    folders = {Path(run).parent.name: Path(run).parent for run in snakemake.input.runs}
    table = trials_table(folders, trials)
    best = best_trial(table, snakemake.wildcards.architecture, trials)
    write_table(snakemake.output.trials, table)
    write_json(snakemake.output.best, best)
