from pathlib import Path

from lib.jobs.scripts import training_job, training_options

with training_job(snakemake) as logger:
    from lib.progress import doing
    from lib.train.runs import train_trial

    params = snakemake.params
    number = f"trial {snakemake.resources.trial} of {snakemake.resources.trials}"
    logger.info("%s", number, extra=doing(number))
    train_trial(
        Path(snakemake.output.run).parent,
        **training_options(snakemake, params.hyperparameters),
        identity=params.identity | {"trial": snakemake.wildcards.trial, "fold": 0},
        seed=params.seed,
    )
