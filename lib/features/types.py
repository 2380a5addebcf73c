"""The types of settings, as the fields of a kind state them."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from lib.errors import HeldoutError
from lib.features.kinds import ADVICE

# Numbers beyond are typing errors, and their squares do not fit in 64 bits.
_LARGEST = 1 << 40

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a name",
    NoneType: "null",
}
_LISTS = {int: "a list of whole numbers", float: "a list of numbers", str: "a list of names"}


def require_types(kind: type, settings: Mapping[str, Any], *, place: str) -> None:
    """Refuse a setting of another type than its field has.

    Parameters
    ----------
    kind : type
        A dataclass whose fields are of `bool`, `int`, `float`, `str`, sequences of these, or one
        of several (`int | None`).
    settings : mapping
        By the names of its fields.
    place : str
        What an error begins with.

    Raises
    ------
    HeldoutError
        A value is of another type, or a number that is not finite or above 2⁴⁰.
    """
    hints = _hints(kind)
    for name, value in settings.items():
        if not _fits(value, hints[name]):
            got = reprlib.repr(value)
            raise HeldoutError(f"{place}: {name}", _words(hints[name]), got, ADVICE)


# They are asked for each recording and take longer to find than the features of a short one.
_hints = cache(get_type_hints)


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is not None:
        (item,) = get_args(hint)[:1]
        return isinstance(value, list | tuple) and all(_fits(one, item) for one in value)
    if hint in (int, float):
        number = isinstance(value, int | hint) and not isinstance(value, bool)
        return number and abs(value) < _LARGEST  # NaN is not
    return isinstance(value, hint)


def _words(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_words, get_args(hint)))
    return _LISTS[get_args(hint)[0]] if get_origin(hint) else _WORDS[hint]
