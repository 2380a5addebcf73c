"""YAML that makes plain values and nothing else, each key once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lib.errors import HeldoutError

# What a person writes is nowhere near these; a text of some lines that refers to itself is.
_DEEPEST, _MOST = 40, 100_000


class _Loader(yaml.SafeLoader):
    """Makes plain values only, and refuses a key that stands twice: the later would win unseen."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose a mapping; see the class."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.composer.ComposerError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
        return node


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file without running anything it might hold.

    Raises
    ------
    HeldoutError
        The file is missing, is not YAML, has a key twice in one mapping, or is not plain (see
        `require_plain`).
    """
    try:
        value = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)
    # ValueError: a date or a number that Python cannot hold, or no UTF-8.
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise HeldoutError(
            f"{path}: expected a YAML file, got: {error or type(error).__name__}. Correct it."
        ) from error
    require_plain(value, str(path))
    return value


def require_plain(value: Any, where: str) -> None:
    """Check that a value is what a person may mean: finite, of bearable size, with keys of text.

    Parameters
    ----------
    value : object
        What was read.
    where : str
        What errors name.

    Raises
    ------
    HeldoutError
        A number is NaN or infinite, a key is no text, or the value is nested too deep or too
        large, as one is that holds itself.
    """
    left, count = [(value, "", 0)], 0
    while left:
        item, path, depth = left.pop()
        count += 1
        if depth > _DEEPEST or count > _MOST:
            raise HeldoutError(
                f"{where}: expected at most {_MOST:,} values, nested {_DEEPEST} deep at most, got "
                "more. Look for an alias (*name) that repeats what holds it."
            )
        if isinstance(item, float) and not math.isfinite(item):
            raise HeldoutError(
                f"{where}: {path}: expected a finite number, got {item}. Correct it."
            )
        if isinstance(item, Mapping):
            for key, inner in item.items():
                if not isinstance(key, str):
                    raise HeldoutError(
                        f"{where}: {path or 'top level'}: expected keys of text, got {key!r}. "
                        "Put it in quotes."
                    )
                left.append((inner, f"{path}.{key}".lstrip("."), depth + 1))
        elif isinstance(item, list | tuple):
            left += [(inner, f"{path}.{number}", depth + 1) for number, inner in enumerate(item)]
