"""Reading MATLAB files: a variable with the samples, and one with the sampling rate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lib.datasets.signal import require_file
from lib.errors import HeldoutError


def call(path: Path, function: Callable[..., Any], **options: Any) -> Any:
    """Call one of the functions of `scipy.io` on a file.

    Raises
    ------
    HeldoutError
        The file is missing, or is not a MATLAB file of version 5 to 7.2.
    """
    try:
        return function(str(require_file(path)), **options)
    except HeldoutError:
        raise
    except Exception as error:  # scipy raises whatever the bytes lead it to
        raise HeldoutError(
            f"{path}: expected a MATLAB file (version 5 to 7.2), got {type(error).__name__}: "
            f"{error}. Delete it and run again (it is fetched anew), or exclude the recording."
        ) from error


def rate(path: Path, content: dict[str, Any], *, name: str = "fs") -> float:
    """Take the sampling rate (Hz) from a variable.

    Raises
    ------
    HeldoutError
        The variable is missing or is not one number above 0.
    """
    value = np.asarray(content.get(name, np.zeros(0)))
    found = float(value.reshape(-1)[0]) if value.size == 1 and value.dtype.kind in "iuf" else 0.0
    if not (np.isfinite(found) and found > 0):
        raise HeldoutError(
            f"{path}: expected the variable {name}, a sampling rate above 0 Hz, got "
            f"{value.reshape(-1)[:1] if value.size else 'none'}. "
            "Fetch the file anew or exclude the recording."
        )
    return found
