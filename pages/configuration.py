"""Write docs/configuration.md from the schemas, the defaults and the library.

python -m pages configuration    # after a change of workflow/schemas; a test sees that it was run
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from lib.datasets import DATASETS
from lib.features import KINDS
from lib.files import read_yaml
from lib.networks.registry import ARCHITECTURES
from pages.markdown import DOCS, ROOT, table

PAGE = DOCS / "configuration.md"

HEAD = """\
# Configuration

Made by `python -m pages configuration` from `workflow/schemas`; do not edit.

Keys stand in `config/config.yaml`, in a file given with `--configfile`, or on the command line.
Later ones win, and an unknown key is refused:

```sh
snakemake --cores 2 --config studies=arrhythmia,voices effort=quick
snakemake --cores 2 --config 'settings={arrhythmia: {training: {epochs: 4}}}'
```
"""

STUDY = """\
## A study

A file `config/studies/{study}.yaml`. Beside these keys it may have `efforts`: for `demo`, `quick`
and `full` the keys that differ. `settings` of the configuration is laid over both. An
architecture or a protocol that is `null` in one of them is left out.
"""

FEATURES = """\
## Features

What `features` takes beside `kind`: rates in Hz, durations in s, the rest in samples or numbers of
bands. [design.md](design.md) gives the shapes of the five studies.
"""

HYPERPARAMETERS = """\
## Hyperparameters

What `fixed` and `space` of an architecture take, with the default of each;
[training.md](training.md) says what they mean.
"""


def kind_of(schema: Mapping[str, Any]) -> str:
    """Say in words what a JSON schema takes.

    Parameters
    ----------
    schema : mapping
        The schema of one key.

    Returns
    -------
    str
        Such as "number, above 0, below 1" or "list of integer, from 0".
    """
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(choice)}`".replace('"', "") for choice in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(kind_of(one) for one in schema["anyOf"])
    kinds = schema.get("type", "")
    words = [" or ".join([kinds] if isinstance(kinds, str) else kinds)]
    if kinds == "array":
        words = [f"list of {kind_of(schema.get('items', {})) or 'anything'}"]
    elif kinds == "object":
        inner = schema.get("additionalProperties")
        named = isinstance(inner, dict) and kind_of(inner)
        words = [f"mapping to {named}" if named else "mapping"]
    limits = {
        "minimum": "from {}",
        "exclusiveMinimum": "above {}",
        "maximum": "up to {}",
        "exclusiveMaximum": "below {}",
    }
    words += [text.format(schema[key]) for key, text in limits.items() if key in schema]
    return ", ".join(words)


def keys(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk through every key of a schema, those of inner mappings too.

    Parameters
    ----------
    schema : mapping
        The schema of a mapping.
    prefix : str
        What the names begin with.

    Yields
    ------
    tuple
        The name, such as `protocols.*.kind`, and its schema; `required` in it says whether the
        key must be there.
    """
    required = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        yield prefix + name, {**inner, "must": name in required}
        yield from keys(inner, f"{prefix}{name}.")
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        yield from keys(more, f"{prefix}*.")


def value_of(name: str, config: Any) -> str:
    """Write the default of a key as it is typed in YAML, or nothing where there is none."""
    for part in name.split("."):
        if not isinstance(config, dict) or part not in config:
            return ""
        config = config[part]
    return f"`{json.dumps(config)}`".replace('"', "")


def general() -> Iterator[tuple[str, ...]]:
    """List the keys of a configuration."""
    default = read_yaml(ROOT / "config" / "config.yaml")
    full = read_yaml(ROOT / "config" / "full.yaml")
    for name, schema in keys(read_yaml(ROOT / "workflow" / "schemas" / "config.schema.yaml")):
        inner = "properties" in schema
        yield (
            f"`{name}`",
            schema.get("description", ""),
            kind_of(schema),
            "" if inner else value_of(name, default),
            "" if inner else value_of(name, full),
        )


def study() -> Iterator[tuple[str, ...]]:
    """List the keys of a study."""
    # What the library knows, and no schema.
    names = {"dataset": [*DATASETS, "folder"], "features.kind": [*KINDS]}
    for name, schema in keys(read_yaml(ROOT / "workflow" / "schemas" / "study.schema.yaml")):
        must = "yes" if schema["must"] else ""
        takes = kind_of({"enum": names[name]} if name in names else schema)
        yield f"`{name}`", schema.get("description", ""), takes, must


def features() -> Iterator[tuple[str, ...]]:
    """List the settings of each kind of features, as its docstrings describe them."""
    for name, kind in KINDS.items():
        # What a kind says of a setting is put over what its parent says.
        meanings = dict(chain.from_iterable(map(described, reversed(kind.__mro__))))
        for item in inspect.signature(kind).parameters.values():
            value = "required" if item.default is item.empty else json.dumps(item.default)
            default = value if value == "required" else f"`{value}`"
            yield f"`{name}`", f"`{item.name}`", meanings[item.name], default


def described(kind: type) -> Iterator[tuple[str, str]]:
    """Yield the parameters that the docstring of a class names, and what it says of each."""
    _, _, section = inspect.cleandoc(kind.__doc__ or "").partition("Parameters\n----------\n")
    for names, text in re.findall(r"^(\w[\w, ]*) : .*\n((?: +.*\n?)+)", section, re.MULTILINE):
        words = " ".join(text.split()).removesuffix(".").replace("``", "`")
        yield from ((name, words) for name in names.split(", "))


def hyperparameters() -> Iterator[tuple[str, ...]]:
    """List each hyperparameter and its defaults."""
    every = [architecture.defaults for architecture in ARCHITECTURES.values()]
    for name in dict.fromkeys(name for values in every for name in values):
        yield f"`{name}`", *(value_of(name, values) if name in values else "" for values in every)


def render() -> str:
    """Return the whole page as Markdown."""
    architectures = (f"`{name}`" for name in ARCHITECTURES)
    return "\n".join(
        [
            HEAD,
            "## The run\n",
            table(("key", "meaning", "takes", "default", "`config/full.yaml`"), general()),
            STUDY,
            table(("key", "meaning", "takes", "required"), study()),
            FEATURES,
            table(("kind", "setting", "meaning", "default"), features()),
            HYPERPARAMETERS,
            table(("hyperparameter", *architectures), hyperparameters()).rstrip("\n"),
            "",
        ]
    )


def write() -> None:
    """Write the page."""
    PAGE.write_text(render(), encoding="utf-8")
