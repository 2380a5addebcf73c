from pathlib import Path

from lib.files import read_json, read_table
from lib.jobs import job

with job(snakemake.log[0]):
    from lib.callbacks import Training
    from lib.examples import open_examples
    from lib.inputs import describe_inputs
    from lib.train import Recipe, open_data, train_runs

    params, names = snakemake.params, snakemake.wildcards
    best = read_json(snakemake.input.best)
    examples = read_table(snakemake.input.examples)
    data = open_data(
        open_examples(snakemake.input.npy),
        examples,
        read_table(snakemake.input.split),
        fold=int(names.fold),
        classes=params.classes,
        scored=params.scored,
    )
    folders = [Path(record).parent for record in snakemake.output.run_json]
    train_runs(
        dict(zip(params.seeds, folders, strict=True)),
        data,
        Recipe(
            architecture=names.architecture,
            hyperparameters=best["hyperparameters"],
            training=Training(**params.training),
            examples_hash=read_json(snakemake.input.digest)["sha256"],
            code=params.code,
            backend=params.backend,
            threads=snakemake.threads,
        ),
        identity={
            "study": names.study,
            "dataset": params.dataset,
            "simulated": params.simulated,
            "protocol": names.protocol,
            "honest": params.honest,
            "trial": best["trial"],
            "fold": int(names.fold),
            "inputs": describe_inputs(data.x, examples, data.rows["train"], **params.inputs),
        },
        store=Path("results") / names.study / "fits",
    )
