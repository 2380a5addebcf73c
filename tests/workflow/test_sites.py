"""Another place: sites whose recorder gives the class away, through the whole workflow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from scipy.signal import resample_poly

from tests.support.folders import RATE, tone
from tests.support.workflow import Workflow

pytestmark = pytest.mark.slow

PLACES = ["east", "west"]
HOSPITALS = ("east", "north", "west")
CLASSES = ("healthy", "ill")
# Hz. Each class has a recorder that hums otherwise, and in the west they are the other way round:
# what a network learns of the hum is wrong there.
HUM = {"east": (2600.0, 3400.0), "north": (2600.0, 3400.0), "west": (3400.0, 2600.0)}


def clinics(folder: Path, *, of_each: int = 10) -> Path:
    """Write recordings that differ in the hum of their recorder, in the west in the format, too."""
    folder.mkdir(parents=True)
    rows = []
    time = np.arange(RATE) / RATE
    for number, hospital in enumerate(HOSPITALS):
        for label in (0, 1):
            for person in range(of_each):
                seed = 100 * number + 10 * person + label
                # A recorder was borrowed now and then: otherwise no score would vary.
                recorder = label if person % 5 else 1 - label
                hum = 0.1 * np.sin(2 * np.pi * HUM[hospital][recorder] * time)
                name = f"{hospital}_{person}_{label}.wav"
                sound = tone(seed, 300.0) + hum
                if hospital == "west":  # a faster recorder with two channels
                    twice = resample_poly(sound, 2, 1)
                    soundfile.write(folder / name, np.stack([twice, twice], axis=1), 2 * RATE)
                else:
                    soundfile.write(folder / name, sound, RATE)
                rows.append((name, CLASSES[label], f"{hospital}{person}_{label}", hospital))
    table = pd.DataFrame(rows, columns=["path", "label", "group", "Hospital"])
    table.to_csv(folder / "metadata.csv", index=False)
    return folder


def test_a_network_that_learned_the_recorder_fails_elsewhere(
    fresh: Workflow, tmp_path: Path
) -> None:
    by = {"by": "hospital", "honest": True}
    settings: dict[str, Any] = {
        "protocols": {
            "random": None,
            "grouped": None,
            "pairs": {**by, "kind": "pairs", "sites": PLACES, "title": "pairs", "test": 0.3},
            "elsewhere": {
                **by,
                "kind": "external",
                "title": "east, tested on north",
                "parts": {"train": ["east"], "test": ["north"]},
            },
        },
        "primary": "elsewhere",
        "architectures": {"cnn": None},
        "training": {"epochs": 12},
    }
    fresh.configure(
        {
            **{"folder": str(clinics(tmp_path / "clinics")), "seeds": [0], "shards": 1},
            **{"resamples": 200, "baselines": ["majority"], "settings": {"folder": settings}},
        }
    )
    done = fresh.run()
    assert done.status == 0, done.output
    text = {"trained": str, "site": str}
    rows = pd.read_csv(fresh.path("results/tables/sites.csv"), dtype=text, keep_default_na=False)
    rows = rows[rows["metric"] == "macro_f1"]
    for name in ("estimate", "reference", "difference_high"):
        rows[name] = pd.to_numeric(rows[name])
    pairs = rows[rows["protocol"] == "pairs"].set_index(["trained", "site"])["estimate"]
    assert min(pairs[site, site] for site in PLACES) > 0.6
    assert max(pairs["east", "west"], pairs["west", "east"]) < 0.4
    external = rows[rows["protocol"] == "elsewhere"].iloc[0]
    assert external["estimate"] > 0.6, "the same recorders"
    whole = rows[rows["protocol"] == "pairs"].iloc[0]
    assert whole["difference_high"] < 0

    page = fresh.path("results/report.html").read_text()
    assert "Trained on one site, the GRU reaches a macro-F1 of" in page
    assert "Trained on <bdi>east</bdi>, the GRU reaches a macro-F1 of" in page
    made = pd.read_csv(fresh.path("results/folder/recordings.csv")).groupby("hospital")
    assert made["rate"].first().to_dict() == {"east": RATE, "north": RATE, "west": 2 * RATE}
    assert "What it has learned does not hold elsewhere to the same extent." in page
    assert fresh.path("results/plots/folder/sites_pairs.svg").is_file()
    # The network of each site makes a whole row of the matrix: no training more.
    runs = pd.read_csv(fresh.path("results/tables/runs.csv"))
    networks = runs[(runs["protocol"] == "pairs") & (runs["kind"] == "network")]
    assert len(networks) == len(PLACES)
    assert fresh.plan().jobs == []
