"""What the configuration says of a person's own folder, however it was typed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.errors import HeldoutError
from lib.typed import clean, typed_path

READING = ("variable", "rate")
"""Of the keys of `folder` those that say how to read a recording."""

_SAYING = {"folder": ("groups", "beats", "context", *READING), "recordings": ("exclude",)}


def stated_of_folder(over: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Take of `settings.folder` what says how to read the folder; the rest is checked later.

    Parameters
    ----------
    over : object
        What is laid over the study: perhaps a mapping.
    schema : mapping
        Of studies.

    Returns
    -------
    dict
        What `lib.own.study.describe` takes; what is of a wrong type is left out.
    """
    import jsonschema

    stated = {}
    for part, keys in _SAYING.items():
        given = over.get(part) if isinstance(over, Mapping) else None
        known = schema["properties"][part]["properties"]
        if not isinstance(given, Mapping):
            continue
        for key in keys:
            if key in given and jsonschema.Draft202012Validator(known[key]).is_valid(given[key]):
                stated[key] = given[key]
    return as_meant(stated)


def as_meant(stated: Mapping[str, Any]) -> dict[str, Any]:
    r"""Take the blanks that nobody sees off the texts and names that a person typed.

    Examples
    --------
    >>> as_meant({"context": [" age "], "exclude": ["a\\b.wav"], "groups": "(p[0-9]+) "})
    {'context': ['age'], 'exclude': ['a/b.wav'], 'groups': '(p[0-9]+)'}
    """

    def meant(key: str, value: Any) -> Any:
        if key == "exclude":
            return [typed_path(str(item)) for item in value]
        if key == "context":
            return [clean(item) for item in value]
        there = key == "path" and Path(value).exists()  # a folder may be named with a blank
        return clean(value) if isinstance(value, str) and not there else value

    return {key: meant(key, value) for key, value in stated.items()}


def require_apart(folder: str, root: Path) -> None:
    """Refuse a folder of recordings that holds the workflow or its results.

    Raises
    ------
    HeldoutError
        It does.
    """
    try:
        place = Path(folder).resolve()
    except ValueError:  # no name of a file; that there is no such folder is said elsewhere
        return
    for inner in (root.resolve(), Path.cwd()):
        if inner.is_relative_to(place):
            raise HeldoutError(
                f"folder {folder!r}",
                "a folder of recordings",
                f"one that holds the workflow itself ({inner})",
                "Its results would count as recordings: put those into a folder of their own.",
            )
