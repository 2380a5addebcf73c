from pathlib import Path

from lib.files import read_json, write_json
from lib.jobs.scripts import training_job

compute = snakemake.params.compute
# Not a param: how many share a GPU changes no result.
share = int(snakemake.config["runs_per_gpu"])

with training_job(snakemake.log[0], compute, runs_per_gpu=share):
    from lib.search.bayes import Sweep, work
    from lib.train.callbacks import Training
    from lib.train.data import read_search_data
    from lib.train.runs import Recipe

    files, params, names = snakemake.input, snakemake.params, snakemake.wildcards
    search = params.search
    journal = work(
        Path(snakemake.output.done).parent,
        read_search_data(
            files.npy,
            files.examples,
            files.split,
            classes=params.classes,
            scored=params.scored,
        ),
        Recipe(
            architecture=names.architecture,
            hyperparameters=search["fixed"],
            training=Training(**params.training),
            examples_hash=read_json(files.digest)["sha256"],
            code=params.code,
            **compute,
            threads=snakemake.threads,
        ),
        Sweep.of(search, seed=params.seed),
        worker=int(names.worker),
        identity=params.identity | {"fold": 0},
        store=Path("results") / names.study / "fits",
    )
    write_json(snakemake.output.done, journal)
