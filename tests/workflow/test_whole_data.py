"""A published dataset as it is: recordings twice, with two labels, empty, flat; to its page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lib.retrieve.state import MARKER
from lib.simulate import NOTE, simulate
from tests.support.workflow import Workflow

STUDY = """\
title: Hearts
question: Murmur or normal?
example_kind: MFCC sequence of a clip
dataset: heartbeat_sounds
classes: {murmur: [murmur], normal: [normal]}
recordings: {exclude: [], min_groups: 2}
features: {kind: mfcc, rate: 4000, duration: 2.0, n_mfcc: 5, n_mels: 16, n_fft: 512, hop: 512}
protocols:
  grouped: {title: by subject, kind: grouped, honest: true, folds: 1, test: 0.33, validation: 0.3}
primary: grouped
architectures:
  simple_rnn: {fixed: {units: [3], dense: []}, space: {learning_rate: [0.01]}}
training: {epochs: 1}
"""
FEW = {"seeds": [0], "shards": 1, "baselines": ["majority"]}
TWICE = "normal__900_1305000000000_A"
EMPTY = "murmur__902_1305000000000_A"
FLAT = "normal__903_1305000000000_A"
SATURATED = "normal__904_1305000000000_A"


def whole(folder: Path) -> tuple[str, str]:
    """Write a dataset with what real ones hold; name the clips of which there is a second one."""
    simulate("heartbeat_sounds", folder, scale=0.05)
    for name in (NOTE, MARKER):
        (folder / name).unlink(missing_ok=True)

    def long(label: str) -> Path:
        paths = sorted(folder.glob(f"set_b/{label}__*.wav"))
        return next(path for path in paths if soundfile.info(path).duration > 3)

    normal, murmur = long("normal"), long("murmur")
    wave, rate = soundfile.read(normal)
    soundfile.write(folder / f"set_b/{TWICE}.wav", 0.5 * wave[round(0.7 * rate) :], rate)
    soundfile.write(folder / f"set_b/{SATURATED}.wav", np.clip(9 * wave[::-1], -0.1, 0.1), rate)
    soundfile.write(folder / f"set_b/{FLAT}.wav", np.full(3 * rate, 0.1), rate)
    wrong = folder / f"set_b/{murmur.name.replace('murmur_', 'normal_')}"
    wrong.write_bytes(murmur.read_bytes())
    # The list would say which label is wrong.
    (folder / "set_b.csv").unlink()
    (folder / f"set_b/{EMPTY}.wav").touch()
    return normal.stem, murmur.stem


@pytest.mark.slow
def test_a_study_of_a_whole_dataset_runs_to_its_page(fresh: Workflow, tmp_path: Path) -> None:
    once, murmur = whole(tmp_path / "mirror" / "heartbeat_sounds")
    wrong = murmur.replace("murmur_", "normal_")
    fresh.path("config/studies/hearts.yaml").write_text(STUDY, encoding="utf-8")
    mirror = str(tmp_path / "mirror")
    fresh.configure({"studies": ["hearts"], "mirror": mirror, **FEW})
    done = fresh.run()
    assert done.status == 0, done.output

    examples = pd.read_parquet(fresh.path("results/hearts/examples.parquet"))
    groups = examples.set_index("recording")["group"]
    assert groups[once] == groups[TWICE]
    assert {EMPTY, murmur, wrong}.isdisjoint(groups.index)
    split = pd.read_parquet(fresh.path("results/hearts/grouped/split.parquet"))
    parts = split.merge(examples, on="example").set_index("recording")["part"]
    assert parts[once] == parts[TWICE]
    audit = json.loads(fresh.path("results/hearts/grouped/audit.json").read_text())
    assert not audit["leaks"]

    exploration = json.loads(fresh.path("results/hearts/exploration.json").read_text())
    (copy,) = exploration["copies"]
    assert {copy["first"], copy["second"]} == {once, TWICE}
    assert abs(copy["shift"]) == pytest.approx(0.7, abs=1e-3)
    assert set(exploration["left_out"]) == {EMPTY, murmur, wrong}
    page = fresh.path("results/report.html").read_text(encoding="utf-8")
    remarks = re.findall(r"<li>(.*?)</li>", page)
    both = f"{copy['first']} and {copy['second']} hold the same audio for "
    assert [remark for remark in remarks if "count as one group" in remark] == [
        remark for remark in remarks if remark.startswith(both)
    ]
    assert sum(remark.startswith(both) for remark in remarks) == 1
    assert f"Left out: {EMPTY}: expected a recording, got an empty file." in remarks
    other = "which is labelled normal, and this one murmur: one of the two is wrong."
    assert f"Left out: {murmur}: it holds the same audio as {wrong}, {other}" in remarks
    looked_at = dict(re.findall(r"<tr><td>(\S+)</td>\s*<td[^>]*>([^<]+)", page))
    assert "saturated" in looked_at[SATURATED]
    assert FLAT in looked_at
    count = exploration["recordings"]
    assert page.count(f"3 of {count} recordings were left out") == 2
