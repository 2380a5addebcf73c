from pathlib import Path

from lib.files import read_json, write_json, write_table
from lib.jobs.scripts import job

with job(snakemake.log[0]):
    from lib.search.bayes import sweep_records
    from lib.search.choice import best_trial, trials_table
    from lib.search.journal import journal_of, open_study

    trials = snakemake.params.trials
    if trials is None:
        folder = Path(snakemake.output.best).parent
        records, trials = sweep_records(open_study(folder, **journal_of(snakemake.input.runs)))
    else:
        records = {Path(run).parent.name: read_json(run) for run in snakemake.input.runs}
    table = trials_table(records, trials)
    space = snakemake.params.of_search["space"]
    best = best_trial(table, snakemake.wildcards.architecture, trials, space=space)
    write_table(snakemake.output.trials, table)
    write_json(snakemake.output.best, best)
