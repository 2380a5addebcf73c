"""The ways to divide examples into train, validation and test parts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from lib.errors import HeldoutError, suggestion
from lib.splits import external, grouped, pairs, published, random, sites
from lib.splits.parts import PARTS


@dataclass(frozen=True)
class SplitKind:
    """One way to divide examples.

    Attributes
    ----------
    divide : callable
        `divide(examples, *, seed, **settings)` returns, for each fold, an array with the part of
        each row of `examples` (sorted by `example`): a name in `PARTS`, or empty where the example
        is left out. Its keyword-only parameters are the settings of a protocol of this kind.
    check : callable, optional
        `check(**settings)` raises HeldoutError for settings that cannot be, before there are
        examples.
    never_honest : str
        Why a protocol of this kind cannot be called honest; empty where it can be.
    folds : callable
        `folds(**settings)` counts the folds before there are examples.
    of_sites : bool
        Whether it divides by the site that `by` names, which the split then holds.
    all_pairs : bool
        Whether its test parts hold one example several times, and what was trained on, too: it
        makes a matrix of sites, and is compared with nothing.
    chooses_by_test : bool
        Whether its test part is its validation part, too: it answers only what such a choice adds
        to a score.
    """

    divide: Callable[..., list[np.ndarray]]
    check: Callable[..., None] | None = None
    never_honest: str = ""
    folds: Callable[..., int] = lambda folds=1, **_: int(folds)
    of_sites: bool = False
    all_pairs: bool = False
    chooses_by_test: bool = False

    @property
    def answers(self) -> bool:
        """Whether its scores are set against those of other protocols, network by network."""
        return not (self.all_pairs or self.chooses_by_test)

    @property
    def tests_new_sites(self) -> bool:
        """Whether a site that is tested on is in no other part of that fold."""
        return self.of_sites and not self.all_pairs


def _divide_as(
    examples: pd.DataFrame,
    *,
    seed: int,
    of: Mapping[str, Any],
    hyperparameters: bool = True,
    refit: bool = False,
) -> list[np.ndarray]:
    """Divide as the primary protocol does, whose kind and settings are `of`.

    `hyperparameters` says whether the test part chooses these, too, and not the epoch alone: no
    part depends on it. With `refit` networks of the primary protocol are trained on its validation
    part before the test, so that `make_split` puts that part into the train part.
    """
    rest = {key: value for key, value in of.items() if key != "kind"}
    return KINDS[of["kind"]].divide(examples, seed=seed, **rest)


# What a protocol of any kind says beside the settings of its kind.
_OF_ALL = ("title", "kind", "honest")

KINDS = MappingProxyType(
    {
        "grouped": SplitKind(grouped.divide),
        "published": SplitKind(published.divide, check=published.check),
        "random": SplitKind(
            random.divide, never_honest="a random split by example cannot be honest"
        ),
        "external": SplitKind(external.divide, check=published.check, of_sites=True),
        "sites": SplitKind(sites.divide, check=sites.check, folds=sites.folds, of_sites=True),
        "pairs": SplitKind(
            pairs.divide, check=sites.check, folds=sites.folds, of_sites=True, all_pairs=True
        ),
        "test_selected": SplitKind(
            _divide_as,
            check=lambda *, of, **_: check_rule(**of),
            folds=lambda *, of, **_: folds_of(**of),
            never_honest="what its test part chose is judged on that part",
            chooses_by_test=True,
        ),
    }
)
"""The kinds of protocols, by name."""


def make_split(
    examples: pd.DataFrame,
    *,
    kind: str,
    seed: int = 0,
    recordings: pd.DataFrame | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Divide examples into parts.

    Parameters
    ----------
    examples : pd.DataFrame
        Columns `example`, `group`, `label`, and what the kind asks for.
    kind : str
        A name in `KINDS`. `grouped` keeps every group in one part and the classes balanced;
        `published` takes the parts from `parts`; `random` deals single examples, class by class,
        so that a group appears in several parts. By the values of a column, `external` trains on
        some and tests on others, `sites` leaves each out in turn, and `pairs` trains on each.
        `test_selected` is another protocol with its test part validated on.
    seed : int
        Of the dealing. Equal seeds give equal splits, whatever the order of the rows.
    recordings : pd.DataFrame, optional
        What else is known of each `recording`: the column that `by` names may be there.
    **settings
        What `divide` of the kind takes.

    Returns
    -------
    pd.DataFrame
        `example`, `fold` (from 0) and `part`, sorted by fold and example; and `site`, the value of
        `by`, where the kind divides by it.

    Raises
    ------
    HeldoutError
        An impossible setting, a column that is not there, a class with a single group, or a part
        without examples.

    Examples
    --------
    >>> groups = [f"patient {number // 2}" for number in range(24)]
    >>> examples = pd.DataFrame({"example": range(24), "group": groups, "label": ["a", "b"] * 12})
    >>> split = make_split(examples, kind="grouped", test=0.25, validation=0.25)
    >>> joined = split.astype({"part": str}).merge(examples, on="example")
    >>> int(joined.groupby("group")["part"].nunique().max())  # each patient in one part
    1
    """
    check_rule(kind, **settings)
    # Sorting first makes the split a function of the examples and the seed alone.
    frame = examples.sort_values("example", ignore_index=True)
    by = settings.get("of", settings).get("by")
    if by is not None:
        frame = _with_column(frame, str(by), recordings)
    columns = {"example": frame["example"]}
    if KINDS[kind].of_sites:
        columns["site"] = frame[by]
    tables = [
        pd.DataFrame({**columns, "fold": fold, "part": part})[part != ""]
        for fold, part in enumerate(KINDS[kind].divide(frame, seed=seed, **settings))
    ]
    split = pd.concat(tables, ignore_index=True)
    split["part"] = pd.Categorical(split["part"], categories=PARTS)
    _require_parts(split)
    if KINDS[kind].chooses_by_test:
        split = _validate_on_test(split, refit=settings.get("refit", False))
    return split[["example", "fold", "part", *(name for name in columns if name != "example")]]


def _validate_on_test(split: pd.DataFrame, *, refit: bool) -> pd.DataFrame:
    """Put the examples of each test part in the place of the validation part.

    Those of the validation part are trained on with `refit`, and else in no part.
    """
    test = split[split["part"] == "test"]
    if refit:
        kept = split.assign(part=split["part"].astype(str).replace("validation", "train"))
    else:
        kept = split[split["part"] != "validation"]
    both = pd.concat([kept, test.assign(part="validation")], ignore_index=True)
    both["part"] = pd.Categorical(both["part"], categories=PARTS)
    return both.sort_values(["fold", "example"], kind="stable", ignore_index=True)


def _with_column(examples: pd.DataFrame, by: str, recordings: pd.DataFrame | None) -> pd.DataFrame:
    """Add a column that recordings have, and write its values as a person would."""
    known = examples.columns if recordings is None else [*examples.columns, *recordings.columns]
    if by not in known:
        raise HeldoutError(
            f"split by {by}",
            "a column of the recordings or of the examples",
            ", ".join(dict.fromkeys(map(str, known))),
            "Correct `by` of the protocol, or add the column to metadata.csv of your own folder.",
        )
    if recordings is None or by in examples:
        values = examples[by]
    else:
        values = examples["recording"].map(recordings.set_index("recording")[by])
    return examples.assign(**{by: values.map(_written)})


def _written(value: Any) -> str:
    """Write a value of a column: a rate without its decimals, and nothing for what is missing."""
    if pd.isna(value):
        return ""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip()


def check_rule(kind: str, **settings: Any) -> None:
    """Check what can be checked of a protocol before there are examples.

    Parameters
    ----------
    kind : str
        A name in `KINDS`.
    **settings
        What `divide` of the kind takes.

    Raises
    ------
    HeldoutError
        The kind or a setting is unknown, a setting is missing, or it is impossible.
    """
    if kind not in KINDS:
        raise HeldoutError(
            "kind", f"one of {', '.join(KINDS)}", repr(kind), suggestion(kind, [*KINDS])
        )
    _require_known(kind, settings)
    folds = settings.get("folds", 1)
    if folds < 1:
        raise HeldoutError("folds", "1 or more", str(folds), "Correct the protocol.")
    for name in ("test", "validation"):
        share = settings.get(name, 0.5)
        if not 0 < share < 1:
            raise HeldoutError(
                name,
                "a share between 0 and 1, both excluded",
                str(share),
                "Correct the protocol.",
            )
    check = KINDS[kind].check
    if check is not None:
        check(**settings)


def folds_of(kind: str, **settings: Any) -> int:
    """Count the folds of a protocol before there are examples.

    Parameters
    ----------
    kind, **settings
        As for `check_rule`, which has found no fault in them.

    Returns
    -------
    int
    """
    return KINDS[kind].folds(**settings)


def _require_known(kind: str, settings: dict[str, Any]) -> None:
    """Raise unless the settings are those that the kind takes."""
    parameters = inspect.signature(KINDS[kind].divide).parameters.values()
    taken = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "seed"]
    names = [p.name for p in taken]
    for name in settings:
        if name not in names:
            raise HeldoutError(
                f"kind {kind}",
                f"the settings {', '.join(names)}",
                repr(name),
                suggestion(name, [*_OF_ALL, *names]),
            )
    missing = [p.name for p in taken if p.default is p.empty and p.name not in settings]
    if missing:
        raise HeldoutError(
            f"kind {kind}",
            f"the setting {', '.join(missing)}, which it needs",
            ", ".join(settings) or "none",
            "Add it to the protocol, or choose another kind.",
        )


def _require_parts(split: pd.DataFrame) -> None:
    counts = pd.crosstab(split["fold"], split["part"]).reindex(columns=list(PARTS), fill_value=0)
    for fold, part in zip(*np.nonzero(counts.to_numpy() == 0), strict=True):
        raise HeldoutError(
            f"fold {counts.index[fold]}",
            f"examples in the {PARTS[part]} part",
            "none",
            "Use fewer folds, larger shares, or more recordings.",
        )
