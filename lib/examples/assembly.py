"""All examples of a study in one array on disk, and a table of what each is."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd

from lib.errors import HeldoutError
from lib.examples.arrays import contents, open_examples
from lib.examples.context import (
    context_columns,
    context_names,
    examples_digest,
    require_finite_context,
)
from lib.files import atomic, write_table

_OF_EXAMPLE = (
    *("recording", "label", "start", "rate", "duration", "channels"),
    *("level", "unit", "saturated"),
)
_CONTEXT = ("context", "context_names")
_FIRST = ("example", "recording", "group", "label", "start", "split")
_LAST = ("content", "flat")
_UNREADABLE = (OSError, ValueError, EOFError, KeyError, BadZipFile)


def assemble(
    shards: Iterable[str | Path],
    recordings: pd.DataFrame,
    *,
    npy: str | Path,
    parquet: str | Path,
    copies: Iterable[tuple[str, str]] = (),
    left_out: Collection[str] = (),
    context: Sequence[str] = (),
) -> dict[str, Any]:
    """Put the examples of all shards into one array, in the order of the table of recordings.

    No more than one shard is in memory at a time.

    Parameters
    ----------
    shards : iterable of str or Path
        Files of `lib.features.write_shard`.
    recordings : pd.DataFrame
        The study's table of recordings: all that the shards hold.
    npy : str or Path
        The array to write: float32, (example, time, channels).
    parquet : str or Path
        The table to write: `example` (row in the array), `recording`, `group`, `label`, `start`
        (s), `split`, `rate` (Hz), `duration` (s), `channels`, `level` (dB) and `unit` of samples,
        the share of them that is `saturated`, and the `content` and `flat` of
        `lib.examples.arrays.contents`; last, `context_{name}` for each name of the context, if
        there is one.
        Recordings that are copies, or hold an identical example, are of one group, as
        `join_duplicates` says: published datasets hold recordings under several names.
    copies : iterable of (str, str)
        Recordings that hold the same audio, whether or not they have an identical example.
    left_out : collection of str
        Recordings without examples here.
    context : sequence of str
        Columns of the table of recordings that every example of a recording has as its context,
        after that of its features.

    Returns
    -------
    dict
        `sha256` (`lib.examples.context.examples_digest`), and `made_with`: packages and their
        versions that made the features.

    Raises
    ------
    HeldoutError
        A shard cannot be read; has another shape than the first, a recording that another shard or
        no row of the table has, or values that are not finite; a recording is in no shard; or there
        is no example at all.
    """
    paths = [Path(path) for path in shards]
    order = {str(name): row for row, name in enumerate(recordings["recording"])}
    tables, shape, made_with = _describe(paths, order)
    table = pd.concat(tables, ignore_index=True)
    table = table[~table["recording"].isin(list(left_out))]
    if table.empty:
        raise HeldoutError(
            npy,
            "examples",
            f"none from {len(paths)} shards and {len(order)} recordings"
            + (f", of which {len(left_out)} were left out" if left_out else ""),
            "Look at the study's classes: no label of the dataset may be in them.",
        )
    known = recordings.assign(recording=recordings["recording"].astype(str))
    known = known.set_index("recording")
    for name, column in zip(context, context_columns(context), strict=True):
        table[column] = table["recording"].map(known[name]).astype(np.float32)
    require_finite_context(parquet, table)
    # Stable, so that the examples of a recording stay in their order.
    table["order"] = table["recording"].map(order)
    table = table.sort_values("order", kind="stable")
    table["example"] = np.arange(len(table))
    with atomic(npy) as part:
        array = np.lib.format.open_memmap(
            part, mode="w+", dtype=np.float32, shape=(len(table), *shape)
        )
        for number, path in enumerate(paths):
            rows = table.loc[table["shard"] == number].sort_index()
            if len(rows):
                array[rows["example"].to_numpy()] = _finite(path, rows)
        array.flush()
        del array
    known = known[["group", "split"]].astype(object).fillna("").astype(str)
    table = table.join(known, on="recording")
    content, flat = contents(open_examples(npy))
    same = [(known["group"][a], known["group"][b]) for a, b in copies]
    table["group"] = join_duplicates(table["group"].to_numpy(), content, flat, same=same)
    table = table.assign(content=content, flat=flat)
    beside = context_columns(context_names(table.columns))
    columns = [*_FIRST, *_OF_EXAMPLE[3:], *_LAST, *beside]
    write_table(parquet, table[columns].reset_index(drop=True))
    return {"sha256": examples_digest(npy, table), "made_with": made_with}


def undecodable(shards: Iterable[str | Path]) -> dict[str, str]:
    """List the recordings of some shards that could not be decoded, each with the reason."""
    reasons: dict[str, str] = {}
    for path in shards:
        arrays = read_shard(path, ["recordings", "fault"])
        pairs = zip(arrays["recordings"], arrays["fault"], strict=True)
        reasons |= {str(name): str(fault) for name, fault in pairs if fault}
    return reasons


def join_duplicates(
    group: np.ndarray,
    content: np.ndarray,
    flat: np.ndarray,
    *,
    same: Sequence[tuple[str, str]] = (),
) -> np.ndarray:
    """Join the groups of examples with the same content, and others that are known to be one.

    Parameters
    ----------
    group : np.ndarray [shape=(examples,)]
        Names of groups.
    content, flat : np.ndarray [shape=(examples,)]
        From `lib.examples.arrays.contents`. Examples that do not change over time join nothing.
    same : sequence of (str, str)
        Names of groups to be joined.

    Returns
    -------
    np.ndarray [shape=(examples,)]
        For each example the group that comes first by name of all that are joined with its own.

    Examples
    --------
    >>> group, content = np.array(["c", "a", "b", "d"]), np.array([1, 2, 1, 3])
    >>> join_duplicates(group, content, np.zeros(4, bool)).tolist()
    ['b', 'a', 'b', 'd']
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = np.array(same, dtype=np.str_).reshape(-1, 2)
    names, number = np.unique(np.concatenate([group, *pairs.T]), return_inverse=True)
    number, *others = np.split(number, [len(group), len(group) + len(pairs)])
    _, first, equal = np.unique(content, return_index=True, return_inverse=True)
    ends = ((number[~flat], number[first[equal]][~flat]), others)
    start, end = (np.concatenate(sides) for sides in zip(*ends, strict=True))
    edges = coo_array((np.ones(len(start), bool), (start, end)), shape=(len(names), len(names)))
    _, joined = connected_components(edges, directed=False)
    # Names are sorted, so that the first of a component is the least.
    _, least = np.unique(joined, return_index=True)
    return names[least[joined[number]]]


def _describe(
    paths: list[Path], order: dict[str, int]
) -> tuple[list[pd.DataFrame], tuple[int, ...], dict[str, str]]:
    """Read what each shard says of its examples, without reading them; their shape; its makers."""
    tables: list[pd.DataFrame] = []
    seen: dict[str, Path] = {}
    shape: tuple[int, ...] = ()
    made_with: dict[str, str] = {}
    for number, path in enumerate(paths):
        content = read_shard(path, [*_OF_EXAMPLE, *_CONTEXT, "recordings", "made_with"])
        context, columns = (content.pop(name) for name in _CONTEXT)
        names = [str(name) for name in content.pop("recordings")]
        # Another version is another param of the rule: all shards are of the same ones.
        made_with |= json.loads(str(content.pop("made_with")))
        content |= dict(zip(context_columns(columns), context.T, strict=True))
        table, size = pd.DataFrame(content), _shape(path)
        for name in names:
            if name in seen or name not in order:
                where = f"also in {seen[name]}" if name in seen else "not in the table"
                raise HeldoutError(
                    path,
                    "recordings of the table, each in one shard",
                    f"{name}, {where}",
                    "Delete the shards and run again; they are made anew.",
                )
            seen[name] = path
        if size[0] != len(table) or (shape and size[1:] != shape):
            raise HeldoutError(
                path,
                f"{len(table)} examples of shape {shape or size[1:]}",
                f"{size[0]} of {size[1:]}",
                "Delete the shards and run again; they are made anew.",
            )
        shape = size[1:]
        tables.append(table.assign(shard=number, row=np.arange(len(table))))
    missing = [name for name in order if name not in seen]
    if missing or not tables:
        raise HeldoutError(
            "examples",
            f"every recording in one of {len(paths)} shards",
            f"none for {len(missing)}: {', '.join(missing[:5])}",
            "Delete the shards and run again.",
        )
    return tables, shape, made_with


def read_shard(path: str | Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Read some arrays of a shard of features.

    Raises
    ------
    HeldoutError
        It is no such file, or lacks one of them.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except _UNREADABLE as error:
        raise _broken(path, error) from error


def _shape(path: Path) -> tuple[int, ...]:
    """Read the shape of the examples from the head of their array alone."""
    try:
        with ZipFile(path) as archive, archive.open("x.npy") as stream:
            np.lib.format.read_magic(stream)
            return np.lib.format.read_array_header_1_0(stream)[0]
    except _UNREADABLE as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> HeldoutError:
    return HeldoutError(
        path,
        "a shard of features",
        f"{type(error).__name__}: {error}",
        "Delete it and run again; it is made anew.",
    )


def _finite(path: Path, rows: pd.DataFrame) -> np.ndarray:
    """Read the examples of a shard, those of some rows, and check their values."""
    x, names = read_shard(path, ["x"])["x"], rows["recording"].to_numpy()
    if len(rows) < len(x):
        x = x[rows["row"].to_numpy()]
    bad = ~np.isfinite(x).all(axis=(1, 2))
    if bad.any():
        raise HeldoutError(
            path,
            "finite values",
            f"NaN or infinity in {int(bad.sum())} examples, the first of recording {names[bad][0]}",
            "Exclude the recording, or delete the shard and run again.",
        )
    return x
