"""The array of examples on disk: opened without being read, and read where it is needed."""

from __future__ import annotations

import hashlib
import itertools
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lib.errors import HeldoutError

# What goes through all examples does so in blocks of about this many bytes.
BLOCK = 64_000_000


def open_examples(npy: str | Path) -> np.memmap:
    """Open the array of examples for reading, without reading it.

    Parameters
    ----------
    npy : str or Path
        A file of `assemble`.

    Returns
    -------
    np.memmap, shape (example, time, channels)
        float32; cannot be written to.

    Raises
    ------
    HeldoutError
        The file is missing, is no such array, or is truncated.
    """
    try:
        array = np.load(npy, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise HeldoutError(
            npy,
            "an array of examples",
            f"{type(error).__name__}: {error}",
            "Delete it and run again; it is made anew.",
        ) from error
    if not isinstance(array, np.memmap) or array.ndim != 3 or array.dtype != np.float32:
        raise HeldoutError(
            npy,
            "float32 examples of shape (example, time, channels)",
            (
                f"{getattr(array, 'dtype', type(array).__name__)} of shape "
                f"{getattr(array, 'shape', 'none')}"
            ),
            "Delete it and run again; it is made anew.",
        )
    return array


def take(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Copy some rows of an array.

    Those of a mapped file are read from it: pages that are looked at through the mapping count as
    memory of this process, which would come to hold the whole file.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        May be memory-mapped.
    rows : np.ndarray [shape=(n,)]
        Which of them, in any order; a file is read fastest where they ascend.

    Returns
    -------
    np.ndarray [shape=(n, time, channels)]

    Raises
    ------
    HeldoutError
        The file has become shorter than the array.
    """
    # Only the mapping of a whole file knows where in the file its rows are; a view of it does not.
    whole = isinstance(x, np.memmap) and isinstance(x.base, mmap.mmap) and x.flags.c_contiguous
    if not whole:
        return np.ascontiguousarray(x[rows])
    assert isinstance(x, np.memmap)
    out = np.empty((len(rows), *x.shape[1:]), x.dtype)
    size = out[:1].nbytes
    # Neighbours in the file are read at once.
    edges = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
    with open(str(x.filename), "rb", buffering=0) as file:  # noqa: PTH123
        for start, end in itertools.pairwise(edges):
            if start == end:
                continue
            left = out[start:end].reshape(-1).view(np.uint8).data
            at = x.offset + int(rows[start]) * size
            while left:
                count = os.preadv(file.fileno(), [left], at)
                if count == 0:
                    raise HeldoutError(
                        str(x.filename),
                        f"{len(x)} examples",
                        f"a file that ends within the one of row {int(rows[start])}: it was "
                        "replaced or cut while it was in use",
                        "Run again.",
                    )
                left, at = left[count:], at + count
    return out


def blocks(
    x: np.ndarray, rows: np.ndarray | None = None, *, nbytes: int = BLOCK
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Go through an array block by block.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        May be memory-mapped.
    rows : np.ndarray [shape=(n,)], optional
        Which examples; all of them without.
    nbytes : int
        Bytes of a block, about; no block has less than one example.

    Yields
    ------
    rows : np.ndarray [shape=(m,)]
        Those of the block; they ascend within it.
    block : np.ndarray [shape=(m, time, channels)]
        Their examples, a copy.
    """
    if rows is None:
        rows = np.arange(len(x))
    size = max(1, nbytes // max(1, x[:1].nbytes))
    for start in range(0, len(rows), size):
        chosen = np.sort(rows[start : start + size])
        yield chosen, take(x, chosen)


def contents(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hash each example, and see whether it changes, in one reading.

    Parameters
    ----------
    x : np.ndarray [shape=(examples, time, channels)]
        May be memory-mapped: it is read in blocks.

    Returns
    -------
    content : np.ndarray [shape=(examples,), dtype=uint64]
        Equal for equal examples; BLAKE2b, so that unequal ones do not meet by chance.
    flat : np.ndarray [shape=(examples,), dtype=bool]
        Whether an example does not change over time: silence, or a stretch that is cut off. Such
        examples are equal in recordings that have nothing else in common.
    """
    content, flat = np.empty(len(x), dtype=np.uint64), np.empty(len(x), dtype=bool)
    for rows, block in blocks(x):
        for number, example in zip(rows, block, strict=True):
            digest = hashlib.blake2b(example.tobytes(), digest_size=8).digest()
            content[number] = int.from_bytes(digest, "little")
        flat[rows] = (block.max(axis=1) == block.min(axis=1)).all(axis=1)
    return content, flat
