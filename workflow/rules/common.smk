from lib.compare import TABLES
from lib.config.params import need_of_training, value
from lib.config.paths import AUDIT, BEST, DIGEST, EXAMPLES, PERMUTED, RUN, SEARCH, SHORTCUTS
from lib.config.paths import SPLIT, TEST_SEARCH, TRIAL, TRIALS, WORKER, compared
from lib.config.settings import resolve
from lib.config.stores import require_mirror, require_no_journal, stored
from lib.errors import HeldoutError
from lib.jobs.gpus import gpus_of_training
from lib.jobs.needs import of_features
from lib.jobs.place import RunLock, require_writable
from lib.provenance import code_hash, packages_of
from lib.recordings.shards import shards_of
from lib.train.runs import RUN_FILES

try:
    require_writable(".", ".snakemake", "results", "resources", "resources/data", "logs")
    SETTINGS = resolve(config, here=Path())
    if workflow.is_main_process:
        require_mirror(SETTINGS)
    PLUGIN, STORED = stored(SETTINGS)
    if DEFAULT_STORAGE:
        require_no_journal(SETTINGS)
except HeldoutError as error:
    raise WorkflowError(str(error))

# The one key that scripts read in `config`.
config.setdefault("runs_per_gpu", SETTINGS["runs_per_gpu"])

# Two runs in one folder would undo each other's work. The lock ends with the process that holds it.
LOCK = RunLock(".snakemake/heldout.lock")
STUDIES = SETTINGS["studies"]
DATASETS = sorted({study["dataset"] for study in STUDIES.values()})


wildcard_constraints:
    dataset="|".join(DATASETS),
    study="|".join(STUDIES),
    protocol="|".join(sorted({name for s in STUDIES.values() for name in s["protocols"]})),
    architecture="|".join(sorted({name for s in STUDIES.values() for name in s["architectures"]})),
    search=f"{SEARCH}|{TEST_SEARCH}",
    trial="[A-Za-z0-9_.+-]+",
    shard=r"\d+",
    seed=r"\d+",
    worker=r"\d+",
    fold=r"\d+",
    permutation=r"\d+",


def of(key):
    """What the configuration says for the wildcards of a job: see lib.config.params."""
    return lambda wildcards: value(SETTINGS, dict(wildcards.items()), key)


def uses(*modules, values=(), without=(), **others):
    """Params of a rule: it runs again when code of `lib`, configuration or others change."""
    code = code_hash(*modules, without=without)
    return {"code": code, **{key: of(key) for key in values}, **others}


def each(kind, path):
    """A path for every protocol, or architecture, of every study."""
    return [
        path.format(study=s, search=SEARCH, **{kind: name})
        for s in STUDIES
        for name in STUDIES[s][f"{kind}s"]
    ]


def doubling(mem_mb, runtime):
    """Memory (MB) and minutes of work that the size of the data hardly changes; a job that was
    killed is given twice as much."""
    return {
        "mem_mb": lambda wildcards, attempt: mem_mb * 2 ** (attempt - 1),
        "runtime": lambda wildcards, attempt: runtime * 2 ** (attempt - 1),
    }


def needs(estimate):
    """Memory and minutes by an estimate; an input that is not there yet leaves them open. One in a
    default storage never is where jobs are planned: then they are constants."""
    if DEFAULT_STORAGE:
        return doubling(mem_mb=8000, runtime=240)

    def part(name):
        return lambda wildcards, input, attempt: getattr(
            estimate(dict(wildcards.items()), input, attempt), name
        )

    return {name: part(name) for name in ("mem_mb", "runtime")}


def need_of_features(names, input, attempt):
    return of_features(input.recordings, value(SETTINGS, names, "features"), attempt=attempt)


def trainings(count):
    """Memory, minutes and GPUs of so many trainings in a row; None: of as many as a worker's."""

    def estimate(names, input, attempt):
        return need_of_training(SETTINGS, names, input.npy, trainings=count, attempt=attempt)

    return {**needs(estimate), "gpu": gpus_of_training(SETTINGS["device"], SETTINGS["devices"])}


# What all trainings read, and what they depend on.
TO_TRAIN = EXAMPLES | {"digest": DIGEST}
CHOSEN_ON = TO_TRAIN | {"split": of("primary_split"), "audit": of("primary_audit")}
# Seeds of a fold share one process: importing TensorFlow takes seconds.
RESULTS = {
    name.replace(".", "_"): expand(f"{RUN}/{name}", seed=SETTINGS["seeds"], allow_missing=True)
    for name in RUN_FILES
}
# What every run is labelled with and scored by.
OF_RUN = ["scored", "classes", "identity"]
TRAINING = uses("lib.train.runs", values=["training", *OF_RUN, "compute"])


def shown(path, caption, patterns=(), **labels):
    """An output that Snakemake's own report shows."""
    category = {"tables": "Tables", "page": "Report", "overall": "Report"}.get(caption, "{study}")
    caption = f"../report/{caption}.rst"
    return report(path, caption=caption, category=category, patterns=list(patterns), labels=labels)


def shards_of_recordings(wildcards):
    """The table of a shard. A checkpoint makes it: only shards that changed are computed anew."""
    made = checkpoints.recordings.get(study=wildcards.study).output
    if DEFAULT_STORAGE:
        return made.shards
    return f"results/{wildcards.study}/recordings/{wildcards.shard}.csv"


def shards_of_features(wildcards):
    """One file for each table that the checkpoint wrote; it chose their number, or the config."""
    shards = of("shards")(wildcards)
    if shards is None:
        # Counted in the table: a folder in a store cannot be listed.
        with checkpoints.recordings.get(study=wildcards.study).output.table.open() as table:
            shards = shards_of(table)
    return expand("results/{{study}}/features/{shard}.npz", shard=range(shards))
