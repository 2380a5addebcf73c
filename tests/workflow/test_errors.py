"""Bad input: the run stops, names the thing, says what to do, and leaves nothing half-written."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from lib.config.settings import merge, resolve
from lib.errors import HeldoutError
from lib.files import read_yaml
from tests.support.workflow import CONFIG, Done, Workflow, set_up


def assert_clear(done: Done, *words: str) -> None:
    """Check that a run failed with these words, and without a wall of calls around them."""
    assert done.status != 0, done.output
    for word in words:
        assert word in done.output, f"{word!r} is not in:\n{done.output}"
    assert "Traceback" not in done.output, done.output
    calls = re.findall(r'^ +File ".*", line \d+', done.output, re.MULTILINE)
    assert len(calls) <= 2, done.output


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a copy in which nothing is made: the configuration is refused before."""
    return set_up(tmp_path_factory.mktemp("idle"))


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"resample": 100}, ("unknown key 'resample'", "Did you mean 'resamples'?")),
        (
            {"settings": {"tiny": {"architectures": {"gru": {"fixed": {"dropuot": 0.1}}}}}},
            ("study tiny", "dropuot", "Did you mean 'dropout'?"),
        ),
    ],
)
def test_a_faulty_configuration_is_refused_before_anything_runs(
    idle: Workflow, over: dict[str, Any], words: tuple[str, ...]
) -> None:
    workflow = Workflow(idle.folder)
    workflow.configure(over)
    assert_clear(workflow.run(), *words)
    assert not workflow.path("results").exists()
    assert not workflow.path("resources/data").exists()


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"studies": ["tinny"]}, ("unknown study 'tinny'", "Did you mean 'tiny'?")),
        (
            {"settings": {"tiny": {"architectures": {"gru_": {"fixed": {}, "space": {}}}}}},
            ("'gru_'", "Did you mean 'gru'?"),
        ),
        ({"shards": "two"}, ("shards", "'two'", "number of feature jobs")),
        (
            {"settings": {"tiny": {"training": {"epochs": 2.5}}}},
            ("study tiny", "training.epochs", "2.5"),
        ),
        (
            {"settings": {"tiny": {"architectures": {"gru": {"space": {"dropout": []}}}}}},
            ("study tiny", "architectures.gru.space.dropout"),
        ),
        ({"settings": {"tiny": {"primary": "random"}}}, ("study tiny", "primary", "honest")),
        (
            {"settings": {"tiny": {"protocols": {"random": {"honest": True}}}}},
            ("study tiny", "protocol random", "cannot be honest"),
        ),
        (
            {"settings": {"tiny": {"features": {"sampels": 48}}}},
            ("study tiny", "features", "sampels"),
        ),
        ({"source": "mirror"}, ("mitdb", "mirror=FOLDER")),
    ],
)
def test_what_is_wrong_with_a_configuration_is_named(
    idle: Workflow, over: dict[str, Any], words: tuple[str, ...]
) -> None:
    """The same check as above, without a Snakemake around it."""
    config = merge(read_yaml(idle.path("config/config.yaml")), merge(CONFIG, over))
    with pytest.raises(HeldoutError) as refused:
        resolve(config, root=idle.folder)
    assert [word for word in words if word not in str(refused.value)] == []


def test_a_mirror_that_is_not_there(copied: Workflow, tmp_path: Path) -> None:
    shutil.rmtree(copied.path("results"))
    copied.configure({"mirror": str(tmp_path / "nowhere")})
    words = f"got {tmp_path / 'nowhere'}, which is not there"
    assert_clear(copied.run(), "mirror: expected a folder", words)
    # What the simulator made is not the mirror's to lose.
    assert copied.path("resources/data/mitdb/100.dat").is_file()
    assert copied.unfinished() == []


def test_data_that_need_consent_are_asked_for_before_anything_runs(copied: Workflow) -> None:
    studies = [*copied.config["studies"], "accents"]
    copied.configure({"studies": studies, "sources": {"common_voice": "download"}})
    assert copied.plan().jobs != []
    words = ("Mozilla Common Voice", "Or run without it: --config studies=")
    assert_clear(copied.run(), "resources/data/common_voice: expected", *words)
    assert not copied.path("logs/explore/accents.log").exists()
    assert not copied.path("logs/retrieve/common_voice.log").exists()
    assert copied.unfinished() == []


def test_a_file_in_a_mirror_that_differs_from_its_checksum(
    copied: Workflow, tmp_path: Path
) -> None:
    shutil.rmtree(copied.path("results"))
    mirror = tmp_path / "mirror" / "mitdb"
    mirror.mkdir(parents=True)
    shutil.copy2(copied.path("resources/data/mitdb/100.hea"), mirror)
    copied.configure({"mirror": str(mirror.parent)})
    assert_clear(copied.run(), f"{mirror / '100.hea'}: expected", "100.hea", "replace it")
    assert not copied.path("resources/data/mitdb.json").exists()
    # Nothing leads to what was not verified.
    assert not copied.path("resources/data/.mitdb/mirror").exists()
    assert copied.unfinished() == []


@pytest.mark.slow
def test_a_truncated_recording_in_a_mirror(fresh: Workflow, tmp_path: Path) -> None:
    from lib.retrieve.state import MARKER
    from lib.simulate import NOTE, simulate

    mirror = tmp_path / "mirror" / "heartbeat_sounds"
    simulate("heartbeat_sounds", mirror, scale=0.05)
    for name in (NOTE, MARKER):
        (mirror / name).unlink(missing_ok=True)
    victim = sorted(mirror.glob("set_a/murmur*.wav"))[0]
    whole = victim.read_bytes()
    victim.write_bytes(whole[: len(whole) // 2])
    fresh.configure({"studies": ["heart_sounds"], "mirror": str(mirror.parent)})
    done = fresh.run("--until", "examples")
    assert_clear(done, victim.name, "expected")
    assert not fresh.path("results/heart_sounds/examples.npy").exists()
    assert fresh.unfinished() == []

    victim.write_bytes(whole)
    done = fresh.run("--until", "examples")
    assert done.status == 0, done.output
    # What changed in a mirror is verified again.
    manifest = json.loads(fresh.path("resources/data/heartbeat_sounds.json").read_text())
    sizes = {row["path"]: row["bytes"] for row in manifest["files"]}
    assert sizes[victim.relative_to(mirror).as_posix()] == len(whole)


def test_a_class_with_one_group(copied: Workflow) -> None:
    # Without record 210, which is simulated after the published one, 207 alone has the code E.
    study = {
        "classes": {"V": ["V"], "escape": ["E"]},
        "recordings": {"exclude": ["102", "104", "107", "217", "210"]},
    }
    copied.configure({"settings": {"tiny": study}})
    done = copied.run("--until", "splits")
    assert_clear(done, "escape", "one group only", "expected at least 2")
    assert not copied.path("results/tiny/grouped/split.parquet").exists()
    assert copied.unfinished() == []


def test_an_honest_protocol_that_leaks(copied: Workflow) -> None:
    copied.configure(
        {
            "studies": ["arrhythmia"],
            "settings": {"arrhythmia": {"protocols": {"published": {"honest": True}}}},
        }
    )
    audit = "results/arrhythmia/published/audit.json"
    done = copied.run(audit)
    assert_clear(done, "arrhythmia", "published", "201", "202")
    assert not copied.path(audit).exists()
    assert copied.unfinished() == []
    # The same split is a fine one as long as it claims nothing.
    copied.configure({"settings": {"arrhythmia": {"protocols": {"published": {"honest": False}}}}})
    done = copied.run(audit)
    assert done.status == 0, done.output
    assert "201" in copied.path(audit).read_text()
