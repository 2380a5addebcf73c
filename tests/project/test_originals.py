"""The original projects, from their recordings to audited splits, as the rules go."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lib.audit import audit_split, require_honest
from lib.config.params import value
from lib.config.settings import ROOT, resolve
from lib.examples.assembly import assemble
from lib.features import make, write_shard
from lib.features.copies import settle
from lib.files import read_yaml
from lib.recordings.table import recordings_table
from lib.simulate.simulator import simulate
from lib.splits import KINDS, make_split

DATA = os.environ.get("HELDOUT_DATA", "")
pytestmark = pytest.mark.slow

STUDIES = [path.stem for path in sorted((ROOT / "config" / "originals").glob("*.yaml"))]


def audits(study: str, data: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Take the recordings of a study through the stages before training, as the rules do."""
    config = read_yaml(ROOT / "config" / "config.yaml") | {"effort": "original", "studies": [study]}
    settings = resolve(config)

    def of(key: str, **wildcards: str) -> Any:
        return value(settings, {"study": study, **wildcards}, key)

    dataset, classes = of("dataset"), of("labels")
    table = recordings_table(dataset, data, classes=classes, **of("recordings"))
    features = dict(of("features"))
    shard = folder / "0.npz"
    chosen = {"kind": features.pop("kind"), "settings": features, "reading": of("reading")}
    write_shard(shard, table, dataset=dataset, classes=classes, **chosen)
    copies, left_out = settle([shard], table, dataset=dataset, reading=of("reading"))
    assemble(
        [shard],
        table,
        npy=folder / "x.npy",
        parquet=folder / "x.parquet",
        copies=[(copy.first, copy.second) for copy in copies],
        left_out=left_out,
    )
    examples = pd.read_parquet(folder / "x.parquet")
    found = {}
    for protocol in settings["studies"][study]["protocols"]:
        rule = of("split", protocol=protocol)
        split = make_split(examples, seed=0, recordings=table, **rule)
        found[protocol] = audit_split(
            examples,
            split,
            duration=make(**of("features")).seconds,
            classes=of("classes"),
            honest=of("honest", protocol=protocol),
            sites=KINDS[rule["kind"]].tests_new_sites,
        )
    return found


@pytest.mark.parametrize("study", STUDIES)
def test_simulated_recordings_reach_training(study, tmp_path):
    simulate(resolve_dataset(study), tmp_path / "data", scale=0.1)
    check(study, audits(study, tmp_path / "data", tmp_path))


@pytest.mark.real
@pytest.mark.skipif(not DATA, reason="HELDOUT_DATA is not set: it names the real recordings")
def test_real_recordings_reach_training(tmp_path):
    data = Path(DATA) / "mitdb"
    if not data.is_dir():
        pytest.skip(f"{data} is missing")
    check("arrhythmia", audits("arrhythmia", data, tmp_path))


def resolve_dataset(study: str) -> str:
    return str(read_yaml(ROOT / "config" / "studies" / f"{study}.yaml")["dataset"])


def check(study: str, found: dict[str, dict[str, Any]]) -> None:
    """Refuse an honest protocol that leaks; a split without an example has raised already."""
    assert found
    for protocol, audit in found.items():
        require_honest(audit, study=study, protocol=protocol)
