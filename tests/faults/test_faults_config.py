"""Settings that cannot be, that contradict, or that reach out: one error, before anything runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.config.settings import ROOT, merge, resolve
from lib.errors import HeldoutError
from lib.files import read_yaml
from tests.support.folders import own_folder
from tests.support.workflow import Workflow, set_up

SHIPPED = read_yaml(ROOT / "config" / "config.yaml")
SCHEMAS = {
    name: read_yaml(ROOT / "workflow" / "schemas" / f"{name}.schema.yaml")
    for name in ("config", "study")
}
STUDY = read_yaml(ROOT / "config" / "studies" / "voices.yaml")
STUDY["efforts"] = {}
# Where a key stands for any name, one that the study has.
NAMES = {
    "classes": "James",
    "protocols": "grouped",
    "architectures": "lstm",
    "space": "units",
    "sources": "mitdb",
    "settings": "voices",
}
WRONG = {
    "text": "some text",
    "a number": 7.5,
    "a truth value": True,
    "a list": [["x"]],
    "a mapping": {"some": {"thing": 1}},
    "nothing": None,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "less than nothing": -1,
}


def keys(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path and the schema of every key, lists of it as one."""
    for name, inner in schema.get("properties", {}).items():
        yield (*path, name), inner
        yield from keys(inner, (*path, name))
    more = schema.get("additionalProperties")
    if isinstance(more, dict) and path and path[-1] in NAMES:
        yield (*path, NAMES[path[-1]]), more
        yield from keys(more, (*path, NAMES[path[-1]]))


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether a value is of a type that the key takes."""
    if "enum" in schema:
        return value in schema["enum"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, float) and value != value:
        return False
    is_a = {
        "string": isinstance(value, str),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
        "null": value is None,
    }
    return any(is_a[kind] for kind in kinds)


def placed(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of the schemas and one study, without efforts, so that every key counts."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "config" / "studies").mkdir(parents=True)
    shutil.copytree(ROOT / "workflow" / "schemas", folder / "workflow" / "schemas")
    write_study(folder, STUDY)
    shutil.copy(ROOT / "config" / "config.yaml", folder / "config")
    return folder


def write_study(root: Path, study: Any) -> None:
    (root / "config" / "studies" / "voices.yaml").write_text(
        study if isinstance(study, str) else yaml.safe_dump(study)
    )


def laid(over: Mapping[str, Any]) -> dict[str, Any]:
    return merge({**SHIPPED, "studies": ["voices"]}, over)


def test_the_project_is_sound(root: Path) -> None:
    write_study(root, STUDY)
    assert list(resolve(laid({}), root=root)["studies"]) == ["voices"]


def wrong_types() -> Iterator[Any]:
    """Return every key with every value that it does not take; two of each are tried at once."""
    for name, schema in SCHEMAS.items():
        for number, (path, inner) in enumerate(keys(schema)):
            kinds = [kind for kind, value in WRONG.items() if not fits(value, inner)]
            if path == ("studies",):
                kinds.remove("text")  # a word is one study
            if path[:-1] in (("protocols",), ("architectures",)):
                kinds.remove("nothing")  # it leaves the protocol or the architecture out
            first = number % len(kinds)
            for place, kind in enumerate(kinds[first:] + kinds[:first]):
                marks = [pytest.mark.slow] if place > 1 else []
                title = f"{name}: {'.'.join(path)}: {kind}"
                yield pytest.param(name, path, WRONG[kind], id=title, marks=marks)


TYPES = list(wrong_types())


@pytest.mark.parametrize(("name", "path", "value"), TYPES)
def test_a_key_of_a_wrong_type_is_refused(
    root: Path, name: str, path: tuple[str, ...], value: Any
) -> None:
    over = placed(path, value)
    with pytest.raises(HeldoutError) as caught:
        if name == "config":
            # Replaced, not merged: a mapping would be laid over the one that is there.
            config = laid({})
            inner = config
            for part in path[:-1]:
                inner = inner.setdefault(part, {})
            inner[path[-1]] = value
            resolve(config, root=root)
        else:
            resolve(laid({"settings": {"voices": over}}), root=root)
    message = str(caught.value)
    assert path[-1] in message or path[0] in message, message
    assert "Traceback" not in message


def misspelt(name: str) -> str:
    return name[:-1] if len(name) > 4 else f"{name}x"


LEVELS = [
    pytest.param(
        name, path, next(iter(inner["properties"])), id=f"{name}: {'.'.join(path) or 'top'}"
    )
    for name, schema in SCHEMAS.items()
    for path, inner in [((), schema), *keys(schema)]
    if inner.get("additionalProperties") is False and "properties" in inner
]


@pytest.mark.parametrize(("name", "path", "key"), LEVELS)
def test_an_unknown_key_is_refused_with_the_nearest(
    root: Path, name: str, path: tuple[str, ...], key: str
) -> None:
    over = placed((*path, misspelt(key)), 1)
    over = over if name == "config" else {"settings": {"voices": over}}
    with pytest.raises(HeldoutError, match=f"unknown key '{misspelt(key)}'.* '{key}'"):
        resolve(laid(over), root=root)


def of_study(**over: Any) -> dict[str, Any]:
    return {"settings": {"voices": over}}


def of_lstm(**over: Any) -> dict[str, Any]:
    return of_study(architectures={"lstm": over})


RULE = {"title": "t", "kind": "grouped", "honest": True}
OTHER: dict[str, tuple[dict[str, Any], str]] = {
    # Unknown names that no schema lists, with the nearest.
    "a hyperparameter": (of_lstm(fixed={"droput": 0.1}), "Did you mean 'dropout'"),
    "a searched hyperparameter": (of_lstm(space={"droput": [0.1]}), "Did you mean 'dropout'"),
    "a key of a range": (
        of_lstm(space={"dropout": {"low": 0, "hihg": 1, "high": 0.5}}, method="random"),
        "Did you mean 'high'",
    ),
    "a setting of features": (of_study(features={"frame": 3}), "Did you mean 'frames'"),
    "an architecture": (of_study(architectures={"lstn": {"fixed": {}, "space": {}}}), "'lstm'"),
    "a scored class": (of_study(scored=["Jame"]), "Did you mean 'James'"),
    "a primary protocol": (of_study(primary="publishd"), "Did you mean 'published'"),
    "a study": ({"studies": ["voice"]}, "Did you mean 'voices'"),
    # Contradictions.
    "honest at random": (of_study(protocols={"random": {"honest": True}}), "cannot be honest"),
    "primary at random": (of_study(primary="random"), "must be an honest protocol"),
    "published without parts": (
        of_study(protocols={"p": {**RULE, "kind": "published"}}),
        "protocol p: kind published: expected the setting parts, which it needs",
    ),
    "parts without published": (
        of_study(protocols={"grouped": {"parts": {"train": ["a"], "test": ["b"]}}}),
        "protocol grouped: kind grouped: expected the settings folds, .*got 'parts'",
    ),
    "published in folds": (of_study(protocols={"published": {"folds": 3}}), "got 'folds'"),
    "a value in two parts": (
        of_study(protocols={"published": {"parts": {"test": ["train"]}}}),
        "protocol published: parts: expected each value in one part, got train",
    ),
    "a label in two classes": (of_study(classes={"Linda": ["James"]}), "each label in one class"),
    "a mirror without a folder": ({"source": "mirror"}, "its source is a mirror, and none is"),
    "a folder and another dataset": (
        of_study(folder={"path": "x"}),
        "`folder` belongs to `dataset: folder`",
    ),
    "dataset folder without one": (of_study(dataset="folder"), "`folder` belongs to"),
    "a range in a grid": (of_lstm(space={"dropout": {"low": 0, "high": 0.5}}), "a grid takes"),
    "low above high": (
        of_lstm(space={"dropout": {"low": 0.5, "high": 0.1}}, method="random"),
        "low < high",
    ),
    "a step of 0": (
        of_lstm(space={"batch_size": {"low": 8, "high": 64, "step": 0}}, method="random"),
        "a step above 0",
    ),
    "a step in words": (
        of_lstm(space={"batch_size": {"low": 8, "high": 64, "step": "x"}}, method="random"),
        "expected numbers",
    ),
    "a log range from 0": (
        of_lstm(space={"learning_rate": {"low": 0, "high": 1, "log": True}}, method="random"),
        "above 0 and without step",
    ),
    "a condition on itself": (
        of_lstm(space={"dropout": {"choices": [0.1], "when": {"dropout": [0.1]}}}),
        "when: expected another",
    ),
    "a condition that is a list": (
        of_lstm(space={"dropout": {"choices": [0.1], "when": ["units"]}}),
        "when: expected a mapping",
    ),
    "more kernels than filters": (
        of_study(architectures={"cnn": {"fixed": {"kernels": [3, 3, 3]}, "space": {}}}),
        "as many kernels as filters",
    ),
    "a grid of 10¹² trials": (
        of_lstm(
            space={
                name: [i / 1000 for i in range(999)]
                for name in ("dropout", "dense_dropout", "recurrent_dropout", "units")
            }
            | {"units": [[i] for i in range(1, 1000)]}
        ),
        "a grid of at most 100,000 trials",
    ),
    "10⁹ random trials": (of_lstm(method="random", trials=10**9), "100000 or less, got"),
    "an activation of no name": (of_lstm(fixed={"activation": "rellu"}), "a Keras activation"),
    "an activation that is code": (
        of_lstm(fixed={"activation": "__import__('os').system('touch x')"}),
        "a Keras activation",
    ),
    "features of half a sample": (of_study(features={"frames": 12.5}), "frames: expected a whole"),
    "features of 10³⁰ samples": (of_study(features={"hop": 10**30}), "hop: expected a whole"),
    "a rate of 10³⁰": (of_study(features={"rate": 1e30}), "rate: expected a number"),
    "a rate of nothing": (of_study(features={"rate": 0}), "expected a number above 0"),
    "parts of no name": (of_study(features={"parts": ["mfc"]}), "parts"),
    "parts in a word": (of_study(features={"parts": "mfcc"}), "parts: expected a list"),
    # Names that would lead out of their folder, or that a shell would run.
    **{
        f"a {what} {name!r}": (
            make(name),
            r"letters, digits and underscores|64 or fewer characters",
        )
        for name in (
            *("..", "../x", "a/b", "/etc", "a\\b", ".", "x\n", "\nx", "", "~", "C:", "x" * 65),
            *(
                "; touch x",
                "$(touch x)",
                "`touch x`",
                "a b",
                "a&b",
                "a|b",
                "a>b",
                "{x}",
                "a*",
                "-r",
            ),
        )
        for what, make in (
            ("study", lambda name: {"studies": ["voices", name]}),
            ("study of settings", lambda name: {"settings": {name: {}}}),
            ("dataset of sources", lambda name: {"sources": {name: "mirror"}}),
            ("protocol", lambda name: of_study(protocols={name: RULE})),
        )
    },
    **{
        f"a protocol called {name}": (of_study(protocols={name: RULE}), "protocols|expected")
        for name in ("search", "features", "recordings", "fits")
    },
    **{
        f"an architecture {name!r}": (
            of_study(architectures={name: {"fixed": {}, "space": {}}}),
            "unknown architecture",
        )
        for name in ("../lstm", "lstm/..", "lstm\n", "; touch x", "$(touch x)", "")
    },
    **{
        f"a class {name!r}": (of_study(classes={name: ["x"]}), "classes")
        for name in ("a\nb", "a\x00b", "\x1b[2J", "x\n", "", "x" * 201, "example", "part")
    },
    "an optimizer that is a path": (of_lstm(fixed={"optimizer": "../adam"}), "optimizer"),
    # Own folders.
    "the folder ..": ({"folder": ".."}, "expected"),
    "the folder /": ({"folder": "/"}, "expected"),
    "a folder that is not there": ({"folder": "/no/such/folder"}, "expected a folder of record"),
    "a folder with a NUL": ({"folder": "a\x00b"}, "expected a folder of recordings"),
    "a folder to run": ({"folder": "; touch x"}, "expected a folder of recordings"),
    "a folder to fill in": ({"folder": "$(touch x)"}, "expected a folder of recordings"),
    "a folder that is empty": ({"folder": ""}, "folder"),
    "a folder that is a file": ({"folder": __file__}, "got a file"),
}


@pytest.mark.parametrize("name", OTHER)
def test_what_cannot_be_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    over, words = OTHER[name]
    with pytest.raises(HeldoutError, match=words):
        resolve(laid(over), root=root)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["here", "above", "link"])
def test_a_folder_that_holds_the_workflow_is_refused(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    folder = own_folder(tmp_path / "some" / "recordings")
    assert folder.is_dir()
    monkeypatch.chdir(folder)
    (tmp_path / "link").symlink_to(folder)
    path = {"here": ".", "above": "../recordings", "link": str(tmp_path / "link")}[where]
    with pytest.raises(HeldoutError, match="got one that holds the workflow itself"):
        resolve({**SHIPPED, "folder": path}, root=ROOT)
    monkeypatch.chdir(tmp_path)
    assert resolve({**SHIPPED, "folder": str(folder)}, root=ROOT)["studies"]["folder"]


@pytest.mark.parametrize(
    "given", ["text", ["list"], {"groups": 3}, {"variable": []}, {"rate": {}}, {"path": 5}, 7]
)
def test_wrong_settings_of_an_own_folder_are_refused(
    tmp_path: Path, root: Path, given: Any
) -> None:
    folder = own_folder(tmp_path / "recordings")
    over = {"folder": str(folder), "settings": {"folder": {"folder": given}}}
    with pytest.raises(HeldoutError, match="folder"):
        resolve({**SHIPPED, **over}, root=root)


BOMB = "&a [x, x, x, x, x, x, x, x, x]"
for before, name in zip("abcdefghi", "bcdefghij", strict=True):
    BOMB = f"&{name} [{BOMB}, {', '.join(['*' + before] * 8)}]"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
FILES = {
    "a list": ("- a\n", "expected a mapping of keys"),
    "empty": ("", "expected a mapping of keys"),
    "not YAML": ("title: [\n", "expected a YAML file"),
    "not UTF-8": ("title: caf\udce9\n", "expected a YAML file"),
    "a key twice": ("title: a\ntitle: b\n", "the key 'title' appears twice"),
    "an inner key twice": ("training: {epochs: 1, epochs: 2}\n", "the key 'epochs' appears twice"),
    "keys that are no text": ("classes: {1: [a], 2: [b]}\n", "expected keys of text, got"),
    "a key that is a truth value": ("classes: {yes: [a], no: [b]}\n", "Put it in quotes"),
    "a key that is a list": ("? [a, b]\n: c\n", "expected"),
    "an object to make": ("title: !!python/object/apply:os.system ['touch x']\n", "a YAML file"),
    "a module to load": ("title: !!python/module:this\n", "expected a YAML file"),
    "a name to look up": ("title: !!python/name:os.system\n", "expected a YAML file"),
    "a file to include": ("title: !include /etc/passwd\n", "expected a YAML file"),
    "a thing that holds itself": ("training: &a {epochs: *a}\n", "an alias"),
    "a billion laughs": (LAUGHS, "an alias"),
    "lists 400 deep": ("title: " + "[" * 400 + "]" * 400, "title: expected text"),
    "lists 2,000 deep": ("title: " + "[" * 2000 + "]" * 2000, "expected"),
    "a number of 5,000 digits": ("training: {epochs: " + "9" * 5000 + "}\n", "expected"),
    "a date that is none": ("title: 2020-99-99\n", "expected a YAML file"),
    "not a number": ("training: {reduce_lr_factor: .nan}\n", "expected a finite number, got nan"),
    "an infinite number": ("features: {rate: .inf}\n", "expected a finite number, got inf"),
    "efforts in a list": ("efforts: [demo]\n", "efforts: expected a mapping"),
    "an unknown effort": ("efforts: {qick: {}}\n", "Did you mean 'quick'"),
    "an effort of nothing": ("efforts: {demo: }\n", "efforts.demo: expected a mapping"),
    "fewer than none": ("training: {undersampling: -1}\n", "training.undersampling: expected"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_study_file_that_cannot_be_read_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    text, words = FILES[name]
    file = root / "config" / "studies" / "voices.yaml"
    try:
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(HeldoutError, match=words) as caught:
            resolve(laid({}), root=root)
    finally:
        write_study(root, STUDY)
    assert "voices" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# Keys that a schema leaves open, keys that it does not, and both in an effort.
OPEN = {
    "features": ("features", "hop"),
    "a new feature": ("features", "some"),
    "fixed": ("architectures", "lstm", "fixed", "units"),
    "a space": ("architectures", "lstm", "space", "units"),
    "a rule": ("protocols", "grouped", "parts"),
    "a class": ("classes", "James"),
    "a title": ("title",),
    "epochs": ("training", "epochs"),
    "an effort": ("efforts", "demo", "features", "hop"),
}


@pytest.mark.parametrize("key", OPEN)
@pytest.mark.parametrize("by_file", [True, False])
def test_a_billion_laughs_are_never_written_out(root: Path, key: str, by_file: bool) -> None:
    over = placed(OPEN[key], yaml.safe_load(BOMB))
    try:
        if by_file:
            write_study(root, merge(STUDY, over))
        with pytest.raises(HeldoutError, match="an alias") as caught:
            resolve(laid({} if by_file else {"settings": {"voices": over}}), root=root)
    finally:
        write_study(root, STUDY)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("key", ["features", "a title", "epochs", "an effort"])
def test_a_long_value_is_not_quoted_whole(root: Path, key: str) -> None:
    over = placed(OPEN[key], list(range(2_000)))
    try:
        write_study(root, merge(STUDY, over))
        with pytest.raises(HeldoutError, match=r"\[0, 1, 2, 3, 4, 5, \.\.\.\]") as caught:
            resolve(laid({"effort": "demo"}), root=root)
    finally:
        write_study(root, STUDY)
    assert len(str(caught.value)) < 500


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "x", "1e999", "[[[", "{a: 1}", "../x", "$(x)", "\n", "demo", "lstm"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.none(), inner)
    ),
    max_leaves=5,
)
PATHS = sorted(
    {("config", *path) for path, _ in keys(SCHEMAS["config"])}
    | {("study", *path) for path, _ in keys(SCHEMAS["study"])}
    | {("study", "features", name) for name in STUDY["features"]}
    | {("study", "architectures", "lstm", "fixed", name) for name in ("units", "dropout", "dense")}
    | {("study", "architectures", "lstm", "space", name) for name in ("units", "dropout", "pool")}
)
MIXED = 60


@settings(max_examples=MIXED)
@given(changes=st.lists(st.tuples(st.sampled_from(PATHS), JUNK), min_size=1, max_size=3))
def test_any_values_are_resolved_or_refused(
    root: Path, changes: list[tuple[tuple[str, ...], Any]]
) -> None:
    config = laid({})
    config["settings"] = {"voices": deepcopy(STUDY)}
    config["settings"]["voices"].pop("efforts")
    for (which, *path), value in changes:
        inner: Any = config if which == "config" else config["settings"]
        for name in path[:-1] if which == "config" else ["voices", *path[:-1]]:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner[path[-1]] = value
    try:
        resolve(config, root=root)
    except HeldoutError as error:
        assert len(str(error)) > 20


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    return set_up(tmp_path_factory.mktemp("idle"))


COMMANDS = {
    "a study to run": (["--config", "studies=; touch made"], "letters, digits and underscores"),
    "a folder to fill in": (
        ["--config", "folder=$(touch made)"],
        "expected a folder of recordings",
    ),
    "the folder ..": (["--config", "folder=.."], "holds the workflow itself"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_snakemake_refuses_before_anything_runs(idle: Workflow, name: str) -> None:
    words, expected = COMMANDS[name]
    if name == "the folder ..":
        own_folder(idle.folder.parent)
    before = sorted(path.name for path in idle.folder.iterdir())
    done = idle.run("--dry-run", *words)
    assert done.status != 0
    assert re.search(expected, done.output), done.output
    assert "Traceback" not in done.output
    made = {*(path.name for path in idle.folder.iterdir())} - {*before}
    assert made <= {"test.yaml", ".snakemake"}, made
