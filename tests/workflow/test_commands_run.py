"""The commands of README and docs: run as they stand there, or with the reason why not.

All of them are planned (tests/project/test_docs.py), and those of `python -m lib` run in
tests/unit/cli/test_cli.py.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest
import yaml

from lib.config.settings import merge
from lib.files import read_yaml
from tests.project.test_docs import commands
from tests.support.workflow import CONFIG, Workflow

# What runs here, with the studies of the default run, which would take minutes, put in place of
# its five, and what it leaves.
RUN = {
    "snakemake --cores 2 --forcerun compare": (["tiny"], "results/report.html"),
    "snakemake --cores 2 --dry-run": (["tiny"], "results/report.html"),
    "snakemake --cores 2 --config studies=voices --dry-run": (["tiny"], "results/report.html"),
    "snakemake --cores 2 results/arrhythmia/published/audit.json": (
        ["arrhythmia"],
        "results/arrhythmia/published/audit.json",
    ),
}

_SET_UP = "sets up an environment: the lead-in of every other command, and CI does it"
_TESTS = "runs these tests"
_LINT = "CI does it"
_PAGES = "tests/project/test_pages.py makes them again and compares"
_FETCHES = "fetches recordings whose publishers are not there for tests"
_SVMS = "takes half an hour; tests/project/test_svm_ensemble.py does it with two records"
_FINDINGS = "needs a run on real recordings; tests/project/test_findings.py makes it up"
_REAL = "needs the real recordings, which a checkout does not hold: tests/real reads them"
_CLUSTER = "needs Slurm; tests/workflow/test_slurm.py runs the profile against a stand-in"
_GPU = "needs a GPU and the real recordings"
_TPU = "needs a TPU"
_TUTORIAL = "tests/project/test_tutorials.py types it"
_SITE = "CI does it; tests/project/test_site.py makes the same site"
_SHOWS = "a server that stays; tests/unit/train reads the events that it shows"
_ELSEWHERE = "no part of Heldout; tests/workflow/test_run.py runs what leads to it"
_PLUGIN = "needs a plugin; tests/workflow/test_plugins.py runs it"
_CONDA = "needs conda; tests/workflow/test_conda.py runs it with a stand-in"
_STORE = "needs a store; tests/workflow/test_storage.py reads one"
_PODS = "needs Kubernetes; tests/workflow/test_pods.py plans it and runs jobs in a stand-in"
_SITES = "tests/workflow/test_sites.py runs such protocols on a smaller study"
_BENCHMARK = "minutes of measuring; tests/project/test_benchmarks.py runs the section in small"
_MINUTES = "minutes of training; tests/workflow/test_run.py runs a smaller study to its page"
_OWN_BEATS = "minutes of training; tests/workflow/test_own_beats_run.py runs it with fewer epochs"
_ANYWHERE = "tests/workflow/test_elsewhere.py runs one in another folder"
_INSTALLED = "tests/project/test_installed.py runs it from a wheel"
_OWN = "minutes of training; tests/workflow/test_own.py runs it with fewer epochs"

NOT_RUN = {
    "make run": _MINUTES,
    "make test": _TESTS,
    "make test SLOW=1": _TESTS,
    "python -m pytest tests/unit/train/test_store.py": _TESTS,
    "python -m pytest tests/unit -k calibration -m 'not slow'": _TESTS,
    "make setup": _SET_UP,
    "make format": _LINT,
    "make lint": _LINT,
    "make pages": _PAGES,
    "make docs": _SITE,
    "mkdir my_recordings my_recordings/James my_recordings/Linda": _TUTORIAL,
    "cp 'resources/data/five_voices/gtzan/*/James.*.au' my_recordings/James": _TUTORIAL,
    "cp 'resources/data/five_voices/gtzan/*/Linda.*.au' my_recordings/Linda": _TUTORIAL,
    "sinfo --summarize": _CLUSTER,
    "squeue --me": _CLUSTER,
    "snakemake --profile slurm --config studies=voices --dry-run": _CLUSTER,
    "snakemake --profile slurm --config studies=voices": _CLUSTER,
    "snakemake --cores 2 --config studies=voices": _MINUTES,
    "snakemake --cores 2 --config folder=my_recordings": _OWN,
    "snakemake --cores 8 --configfile config/full.yaml --config effort=original": _FETCHES,
    "tensorboard --logdir results/arrhythmia/search": _SHOWS,
    "optuna-dashboard results/arrhythmia/search/cnn/journal-….log": _ELSEWHERE,
    "wandb leet ./wandb": _ELSEWHERE,
    "wandb sync 'wandb/offline-run-*'": _ELSEWHERE,
    "mlflow server --backend-store-uri sqlite:///mlflow.db": _ELSEWHERE,
    "tail -f logs/train/voices-grouped-gru-0.log": _SHOWS,
    "tensorboard --logdir results": _SHOWS,
    "snakemake --cores 2 --logger rich": _PLUGIN,
    "snakemake --cores 2 --logger snkmt": _PLUGIN,
    "snkmt console": _PLUGIN,
    "snakemake --cores 8 --sdm conda": _CONDA,
    "snakemake --containerize > Dockerfile.conda": _CONDA,
    "snakemake --cores 2 --configfile config/full.yaml --config mirror=s3://bucket/recordings "
    "studies=voices effort=quick": _STORE,
    "snakemake --profile profiles/kubernetes --dry-run": _PODS,
    "snakemake --profile profiles/kubernetes": _PODS,
    "snakemake --profile profiles/kubernetes --config device=gpu": _PODS,
    "snakemake --cores 2 --config folder=my_recordings 'settings={folder: {protocols: {left_out: "
    "{title: one hospital left out, kind: sites, honest: true, by: hospital, "
    "sites: [east, north, west]}}}}'": _SITES,
    "snakemake --cores 2 --config source=download studies=heart_sounds effort=quick "
    "'settings={heart_sounds: {protocols: {matrix: {title: each set alone, kind: pairs, "
    "honest: true, by: set, sites: [a, b]}}}}'": _FETCHES,
    "make pages PAGES='configuration structure'": _PAGES,
    "HELDOUT_DATA=/data/recordings make test": _TESTS,
    "source .venv/bin/activate": _SET_UP,
    "conda env create -f environment.yml": _SET_UP,
    "conda activate heldout": _SET_UP,
    "python -m pip install --no-deps -e .": _SET_UP,
    "snakemake --cores 8 --configfile config/full.yaml --config "
    "studies=heart_sounds,arrhythmia,exercise,voices": _FETCHES,
    "snakemake --cores 2 --config 'sources={mitdb: download}' --dry-run": _FETCHES,
    "snakemake --profile slurm --dry-run": _CLUSTER,
    "snakemake --profile slurm --configfile config/full.yaml": _CLUSTER,
    "snakemake --profile slurm --default-resources slurm_partition=cpu slurm_account=lab": _CLUSTER,
    "snakemake --profile slurm --set-resources train:slurm_partition=gpu train:gpu=1 "
    "--dry-run": _CLUSTER,
    "snakemake --profile slurm --set-resources train:mem_mb=16000 train:runtime=1440": _CLUSTER,
    "snakemake --profile slurm --groups features=features baselines=baselines "
    "--group-components features=10 baselines=10": _CLUSTER,
    "snakemake --profile slurm --config device=gpu devices=1": _CLUSTER,
    "snakemake --profile profiles/gpu --configfile config/full.yaml": _GPU,
    "snakemake --profile profiles/gpu --resources gpu=4 --configfile config/full.yaml": _GPU,
    "snakemake --profile profiles/gpu --resources gpu=8 --configfile config/full.yaml "
    "--config runs_per_gpu=2": _GPU,
    "snakemake --profile profiles/gpu --resources gpu=4 --config studies=exercise devices=4": _GPU,
    "snakemake --profile profiles/tpu --config device=tpu devices=all": _TPU,
    "python -m benchmarks devices --output /tmp": _BENCHMARK,
    "python -m pages.findings results": _FINDINGS,
    "python -m pages.svm_ensemble mitdb": _SVMS,
    "snakemake --cores 2 --configfile config/findings.yaml --config mirror=/data/recordings": _REAL,
    "snakemake --cores 2 --configfile config/findings.yaml --config mirror=/data/recordings "
    "studies=arrhythmia 'settings={arrhythmia: {features: {intervals: true}}}'": _REAL,
    "snakemake --cores 2 --configfile config/inside_ds1.yaml --config "
    "mirror=/data/recordings": _REAL,
    "snakemake --cores 8 --config folder=my_recordings": _OWN,
    "snakemake --cores 8 --config folder=my_recordings "
    "'settings={folder: {folder: {faulty: stop}}}'": _OWN,
    "snakemake --cores 8 --config studies=mine": _OWN,
    "snakemake --cores 8 --config folder=my_ecg": _OWN_BEATS,
    "snakemake --cores 2 --config studies=arrhythmia,voices effort=quick": _MINUTES,
    "snakemake --cores 2 --config studies=arrhythmia effort=quick": _MINUTES,
    "snakemake --cores 8 --snakefile /opt/heldout/workflow/Snakefile "
    "--config studies=voices": _ANYWHERE,
    "heldout deploy heart": _INSTALLED,
    "heldout doctor": _INSTALLED,
    "snakemake --cores 2 --config 'settings={arrhythmia: {training: {epochs: 4}}}'": _MINUTES,
    "snakemake --cores 2 --config studies=ventricular": _MINUTES,
    "snakemake --cores 2 --config studies=voices --forcerun features": _MINUTES,
    "snakemake --cores 2 --configfile config/full.yaml --config mirror=/data/recordings "
    "studies=arrhythmia effort=quick": _REAL,
    "snakemake --cores 2 --configfile config/full.yaml --config mirror=/data/recordings "
    "studies=voices effort=quick": _REAL,
    "snakemake --cores 2 --configfile config/full.yaml --config mirror=/data/recordings "
    "studies=ventricular": _REAL,
}


def test_every_command_runs_or_has_a_reason_not_to() -> None:
    known = {shlex.join(shlex.split(line)) for line in (*RUN, *NOT_RUN)}
    of_docs = {shlex.join(words) for words in commands() if words[:3] != ["python", "-m", "lib"]}
    assert of_docs == known


@pytest.mark.slow
@pytest.mark.parametrize("line", RUN)
def test_a_command_of_the_docs_runs(copied: Workflow, line: str) -> None:
    studies, left = RUN[line]
    config = merge(read_yaml(copied.path("config/config.yaml")), {**CONFIG, "studies": studies})
    copied.path("config/config.yaml").write_text(yaml.safe_dump(config))
    before = copied.path(left).stat().st_mtime_ns if copied.path(left).exists() else 0
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line)],
        cwd=copied.folder,
        env={**os.environ, "PYTHONPATH": str(copied.folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    after = copied.path(left).stat().st_mtime_ns
    assert (after > before) == ("--dry-run" not in line), done.stderr
