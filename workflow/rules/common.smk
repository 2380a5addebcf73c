import sys

# The library of this checkout, whichever is installed.
sys.path.insert(0, workflow.basedir)

from lib.config import settings as configuration
from lib.jobs import needs as resources
from lib.jobs.cluster import require_partitions
from lib.compare import TABLES
from lib.jobs.gpus import gpus_of_training
from lib.errors import HeldoutError
from lib.features.registry import make
from lib.networks.sizes import extremes
from lib.own.survey import listing
from lib.jobs.place import RunLock, hand_down_library, require_writable
from lib.provenance import code_hash, packages_of
from lib.train.runs import RUN_FILES

hand_down_library(workflow.basedir)

try:
    require_writable(".", ".snakemake", "results", "resources", "resources/data", "logs")
    SETTINGS = configuration.resolve(config)
except HeldoutError as error:
    raise WorkflowError(str(error))

# Two runs in one folder would undo each other's work. The lock ends with the process that holds it.
LOCK = RunLock(".snakemake/heldout.lock")
STUDIES = SETTINGS["studies"]
DATASETS = sorted({study["dataset"] for study in STUDIES.values()})
# Studies of a person's own folder, by the name of their dataset.
FOLDERS = {study["dataset"]: study for study in STUDIES.values() if "folder" in study}
BASELINES = SETTINGS["baselines"]
COMPUTE = configuration.compute(SETTINGS)
GPUS = gpus_of_training(SETTINGS["device"], SETTINGS["devices"])
RUN = "results/{study}/{protocol}/{architecture}/seed-{seed}/fold-{fold}"
WORKER = "results/{study}/search/{architecture}/worker-{worker}.json"
TRIAL = "results/{study}/search/{architecture}/{trial}"


wildcard_constraints:
    dataset="|".join(DATASETS),
    study="|".join(STUDIES),
    protocol="|".join(sorted({name for s in STUDIES.values() for name in s["protocols"]})),
    architecture="[a-z0-9_]+",
    trial="[A-Za-z0-9_.+-]+",
    shard=r"\d+",
    seed=r"\d+",
    worker=r"\d+",
    fold=r"\d+",


def check_cluster():
    """Before anything is submitted: no job may ask for what the cluster does not have."""
    if workflow.executor_plugin.name == "slurm":
        require_partitions(
            job.resources.get("slurm_partition") for job in workflow.dag.needrun_jobs()
        )


def study(wildcards, *keys):
    """A value of the study's settings."""
    value = STUDIES[wildcards.study]
    for key in keys:
        value = value[key]
    return value


def of_study(*keys):
    """A function for params: the rule reruns when this value of the study changes, and only then."""
    return lambda wildcards: study(wildcards, *keys)


def identity(wildcards):
    """What run.json says a run belongs to; a search runs under the primary protocol."""
    protocol = getattr(wildcards, "protocol", study(wildcards, "primary"))
    return {
        "study": wildcards.study,
        "dataset": study(wildcards, "dataset"),
        "simulated": study(wildcards, "simulated"),
        "protocol": protocol,
        "honest": study(wildcards, "protocols", protocol, "honest"),
    }


def classes(wildcards):
    return list(study(wildcards, "classes"))


def inputs(wildcards):
    """What makes the inputs of a study's networks: it travels with each model."""
    return {
        "features": study(wildcards, "features"),
        "labels": study(wildcards, "classes"),
        "reading": configuration.reading(STUDIES[wildcards.study]),
    }


def folds(study, protocol):
    return range(configuration.folds_of(STUDIES[study]["protocols"][protocol]))


def network_runs(study):
    """The folders of all final runs of a study's networks."""
    return [
        folder
        for protocol in STUDIES[study]["protocols"]
        for folder in expand(
            RUN,
            study=study,
            protocol=protocol,
            architecture=STUDIES[study]["architectures"],
            seed=SETTINGS["seeds"],
            fold=folds(study, protocol),
        )
    ]


def baseline_runs(study):
    """The folders of all runs of a study's baselines."""
    return [
        folder
        for protocol in STUDIES[study]["protocols"]
        for folder in expand(
            RUN,
            study=study,
            protocol=protocol,
            architecture=BASELINES,
            seed=0,
            fold=folds(study, protocol),
        )
    ]


def per_protocol(path):
    """A path for every protocol of every study."""
    return [
        path.format(study=name, protocol=protocol)
        for name, settings in STUDIES.items()
        for protocol in settings["protocols"]
    ]


def per_architecture(path):
    """A path for every architecture of every study."""
    return [
        path.format(study=name, architecture=architecture)
        for name, settings in STUDIES.items()
        for architecture in settings["architectures"]
    ]


def needs(estimate):
    """Memory and minutes for `resources`; an input that is not there yet leaves them open."""

    def of(name):
        return lambda wildcards, input, attempt: getattr(estimate(wildcards, input, attempt), name)

    return {name: of(name) for name in ("mem_mb", "runtime")}


def training_need(wildcards, input, attempt, trainings=1, trials=None):
    """What some trainings of an architecture take; of its largest trial where none is named."""
    architecture = wildcards.architecture
    if trials is None:
        known = study(wildcards, "trials", architecture)
        search = of_architecture(wildcards)
        trials = extremes(architecture, search) if known is None else known.values()
    return resources.of_training(
        input.npy,
        study(wildcards, "features"),
        architecture=architecture,
        trials=trials,
        epochs=study(wildcards, "training", "epochs"),
        trainings=trainings,
        threads=SETTINGS["threads"],
        attempt=attempt,
    )


def shards_of_recordings(wildcards):
    """The table of a shard. A checkpoint makes it: only shards that changed are computed anew."""
    folder = checkpoints.recordings.get(study=wildcards.study).output.shards
    return f"{folder}/{wildcards.shard}.csv"


def shards_of_features(wildcards):
    """One file for each table that the checkpoint wrote; it chose their number, or the config."""
    shards = study(wildcards, "shards")
    if shards is None:
        folder = checkpoints.recordings.get(study=wildcards.study).output.shards
        shards = len(glob_wildcards(f"{folder}/{{shard}}.csv").shard)
    return expand("results/{{study}}/features/{shard}.npz", shard=range(shards))


def mirror_of(wildcards):
    """Name the folder of mirrors, if the dataset comes from there."""
    source = configuration.source_of(wildcards.dataset, SETTINGS)
    return SETTINGS["mirror"] if source == "mirror" else None


def manifest(wildcards):
    return f"resources/data/{study(wildcards, 'dataset')}.json"


def split_params(wildcards):
    return configuration.split_options(study(wildcards, "protocols", wildcards.protocol))


def primary(path):
    """A path of the protocol that hyperparameters are chosen on."""
    return lambda wildcards: path.format(
        study=wildcards.study, protocol=study(wildcards, "primary")
    )


def trials(wildcards):
    return study(wildcards, "trials", wildcards.architecture)


def of_architecture(wildcards):
    return study(wildcards, "architectures", wildcards.architecture)


def trials_of_worker(wildcards):
    search = of_architecture(wildcards)
    return -(-search["trials"] // search["workers"])


def searched(wildcards):
    """What a search waits for: its trials, none where there is nothing to choose, or its workers."""
    names = trials(wildcards)
    if names is None:
        workers = range(study(wildcards, "architectures", wildcards.architecture, "workers"))
        return expand(WORKER, worker=workers, allow_missing=True)
    return expand(f"{TRIAL}/run.json", trial=names if len(names) > 1 else [], allow_missing=True)


def compared(wildcards):
    """Every run of every study, baselines too."""
    networks = [folder for name in STUDIES for folder in network_runs(name)]
    baselines = [folder for name in STUDIES for folder in baseline_runs(name)]
    return [f"{run}/{name}" for run in networks for name in RUN_FILES[1:]] + [
        f"{run}/{name}" for run in baselines for name in ("run.json", "predictions.parquet")
    ]
