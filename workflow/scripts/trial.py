from pathlib import Path

from lib.jobs.scripts import training_job, training_options

with training_job(snakemake) as logger:
    from lib.progress import doing
    from lib.search.folds import chosen_folds, train_folds
    from lib.train.runs import train_trial

    params = snakemake.params
    number = f"trial {snakemake.resources.trial} of {snakemake.resources.trials}"
    logger.info("%s", number, extra=doing(number))
    given = training_options(snakemake, params.hyperparameters)
    given["identity"] = params.identity | {"trial": snakemake.wildcards.trial, "fold": 0}
    folder = Path(snakemake.output.run).parent
    data = given.pop("data")
    if folds := chosen_folds(data, snakemake.input.examples, params.choice):
        train_folds(folder, folds, **given, seed=params.seed)
    else:
        train_trial(folder, data, **given, seed=params.seed)
