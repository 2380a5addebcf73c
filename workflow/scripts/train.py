from pathlib import Path

from lib.files import read_json
from lib.jobs import job

with job(snakemake.log[0]):
    from lib.callbacks import Training
    from lib.train import Recipe, read_data, train_runs

    files, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    best, fold = read_json(files.best), int(names.fold)
    folders = [Path(record).parent for record in snakemake.output.run_json]
    train_runs(
        dict(zip(params.seeds, folders, strict=True)),
        read_data(
            files.npy,
            files.examples,
            files.split,
            fold=fold,
            classes=params.classes,
            scored=params.scored,
        ),
        Recipe(
            architecture=names.architecture,
            hyperparameters=best["hyperparameters"],
            training=Training(**params.training),
            examples_hash=read_json(files.digest)["sha256"],
            code=params.code,
            **params.compute,
            threads=snakemake.threads,
        ),
        identity=params.identity | {"trial": best["trial"], "fold": fold},
        store=Path("results") / names.study / "fits",
    )
