"""Reading MATLAB files: a variable with the samples, and one with the sampling rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lib.datasets.signal import RATES, REPLACE, DamagedError, plausible, require_file, require_size
from lib.errors import HeldoutError

# What MATLAB calls arrays of numbers. Cells, structures and objects may hold anything, nested to
# any depth; they are not read.
NUMBERS = frozenset(
    ("double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
)


class _Bounded:
    """A file of which so many bytes may be read, and no more.

    A header may send its reader back to where it came from, or into the middle of what was read: an
    array of version 4 with a negative number of rows ends before it begins, and scipy would go
    round in circles for ever. A whole file is read about once.
    """

    def __init__(self, stream: BinaryIO, *, size: int) -> None:
        self._stream, self._left = stream, 2 * size + 4096
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        # No more than is left, so that a size that a header made up asks for no memory either.
        content = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        # An end that is asked for again and again counts, too.
        self._left -= max(1, len(content))
        if self._left < 0:
            raise ValueError("headers that lead around in circles")
        return content


def _call(path: Path, function: Callable[..., Any], **options: Any) -> Any:
    """Call one of the functions of `scipy.io` on a file."""
    try:
        with require_file(path).open("rb") as stream:
            return function(_Bounded(stream, size=path.stat().st_size), **options)
    except HeldoutError:
        raise
    except NotImplementedError as error:
        raise HeldoutError(
            path,
            "a MATLAB file (version 5 to 7.2)",
            f"version 7.3 ({error})",
            "Save it with `-v7` in MATLAB, or exclude the recording.",
        ) from error
    except Exception as error:  # scipy raises whatever the bytes lead it to
        raise DamagedError(
            path, "a MATLAB file (version 5 to 7.2)", f"{type(error).__name__}: {error}"
        ) from error


def variables(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    """List what a MATLAB file holds: names, shapes and MATLAB's names of the types.

    Raises
    ------
    HeldoutError
        The file is missing, or is not a MATLAB file of version 5 to 7.2.
    """
    import scipy.io

    return [
        (str(name), tuple(map(int, shape)), str(kind))
        for name, shape, kind in _call(path, scipy.io.whosmat)
    ]


def load(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Read some variables of a MATLAB file, those that are there.

    Parameters
    ----------
    path : Path
        The file.
    names : iterable of str
        Of the variables.

    Returns
    -------
    dict
        Arrays of numbers.

    Raises
    ------
    HeldoutError
        As `variables`; or one of them is no array of numbers, or larger than a recording may be.
    """
    import scipy.io

    wanted = set(names)
    for name, shape, kind in variables(path):
        if name not in wanted:
            continue
        if kind not in NUMBERS:
            raise HeldoutError(
                path,
                f"{name} as an array of numbers",
                f"{kind} of shape {shape}",
                "Name another variable, or exclude the recording.",
            )
        require_size(path, math.prod(shape))
    content = _call(path, scipy.io.loadmat, variable_names=sorted(wanted))
    return {name: np.asarray(value) for name, value in content.items() if name in wanted}


def rate(path: Path, content: dict[str, Any], *, name: str = "fs", advice: str = REPLACE) -> float:
    """Take the sampling rate (Hz) from a variable; `advice` is what to do where it holds none.

    Raises
    ------
    HeldoutError
        The variable is missing or is not one number that can be a rate.
    """
    value = np.asarray(content.get(name, np.zeros(0)))
    hertz = float(value.reshape(-1)[0]) if value.size == 1 and value.dtype.kind in "iuf" else 0.0
    if not plausible(hertz):
        raise HeldoutError(
            path,
            f"the variable {name}, a sampling rate {RATES}",
            f"{value.reshape(-1)[:1] if value.size else 'none'}",
            advice,
        )
    return hertz
