"""What the folders above a recording say of it: its class, and its part, fold, site or person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib.audit.tables import part_of
from lib.errors import HeldoutError
from lib.own.headers import named
from lib.typed import typed_name

# A number, or a letter that stands alone: what tells the folders of a series from one another.
_COUNTED = re.compile(r".*\d.*|.*[\s_.-][a-z]")
_PIECES = "fold|cv|split|set|subset|part|partition|batch|chunk"
_PLACES = "site|center|centre|hospital|clinic|session|device|day"
_PERSONS = "actor|child|participant|patient|person|speaker|spk|subj|subject|user|volunteer"
# Of no class, where they lie beside others. `train` may be a vehicle.
_PARTS = re.compile("test(ing)?|valid(ation)?|val|dev|eval|unlabell?(ed)?|unsorted")
_TABLE = "write metadata.csv with the columns path and label, and group and split where known"
# Every second name below more than half of the top folders.
_CROSSED = 0.5


@dataclass
class Layout:
    """What the folders say.

    Attributes
    ----------
    label, group, split : dict of str to str
        For each recording that lies in the folder of a class; `group` and `split` may be empty.
    misplaced : dict of str to str
        The other recordings, and why they have no class.
    told : list of str
        What was taken for what, where the folders could be meant in another way.
    notes : list of str
        What was taken for what, where they could not.
    folds : int
        How many published folds the groups are; 0 where they are none.
    """

    label: dict[str, str] = field(default_factory=dict)
    group: dict[str, str] = field(default_factory=dict)
    split: dict[str, str] = field(default_factory=dict)
    misplaced: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    folds: int = 0


def read_layout(
    folder: Path,
    paths: Iterable[str],
    *,
    groups: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Layout:
    """Say what the folders above each recording mean, by their names and how they repeat.

    Parameters
    ----------
    folder : Path
        What errors name.
    paths : iterable of str
        Recordings within the folder.
    groups : mapping of str to str, optional
        The group of each path, where it is known otherwise. Where it is the name of the top
        folder, classes are the folders below.
    labels : mapping of str to str, optional
        The label of each path, where it is known otherwise: the folders are then parts, folds,
        sites or persons. What has no label is misplaced.

    Returns
    -------
    Layout
        A folder for each class is the usual one. Above or below the classes may be parts of a
        split (`train`, `test`), folds, sites, or persons.

    Raises
    ------
    HeldoutError
        The folders are parts, folds or sets, and no class lies below; or two levels of folders
        could both be the classes.
    """
    layout = Layout()
    levels = {path: [typed_name(name) for name in path.split("/")[:-1]] for path in sorted(paths)}
    if labels:
        for path in [path for path in levels if path not in labels]:
            layout.misplaced[path] = "the list of labels beside it does not name it"
            del levels[path]
        levels = {path: [*names[:1], labels[path]] for path, names in levels.items()}
        layout.told.append("The labels are those of REFERENCE.csv beside the recordings.")
    _take_parts(folder, levels, layout)
    for path in [path for path, names in levels.items() if not names]:
        at = path.rpartition("/")[0]
        where = f"it lies in {at}" if at else "it lies at the top"
        layout.misplaced[path] = f"{where}, in no folder of a class"
        del levels[path]
    series = _take_series(folder, levels, layout, stated=bool(groups))
    above = {path: names[0] for path, names in levels.items()} if labels else {}
    _take_persons(folder, levels, layout, groups or above)
    layout.label = {path: names[0] for path, names in levels.items()}
    if not layout.group:
        _warn_of_persons(layout)
    _warn_of_gaps(layout, layout.split)
    if series:
        _warn_of_gaps(layout, layout.group)
    return layout


def listed(names: Iterable[str]) -> str:
    """Name the first of some names in their order, and say how many there are beside them."""
    return named(sorted(set(names)))


def _at(levels: Mapping[str, Sequence[str]], level: int) -> set[str]:
    return {names[level] for names in levels.values() if len(names) > level}


def _drop(levels: dict[str, list[str]], level: int) -> None:
    for names in levels.values():
        del names[level : level + 1]


def _take_parts(folder: Path, levels: dict[str, list[str]], layout: Layout) -> None:
    """Take the level at which every folder is named as a part of a split out of the paths."""
    for level in (0, 1):
        names = _at(levels, level)
        parts = {name: part_of(name) for name in names}
        # Below the classes one name alone says nothing.
        if not all(parts.values()) or len(names) < 1 + level:
            continue
        if level == 0 and max(map(len, levels.values())) < 2:
            raise _no_classes(folder, names, "the parts of a split")
        counts = Counter(parts.values())
        if level == 0 and "test" not in counts and max(counts.values()) > 1:
            return  # training-a to training-f are sites
        layout.split = {
            path: parts[at[level]] if len(at) > level else "" for path, at in levels.items()
        }
        layout.notes.append(f"The folders {listed(names)} are taken for the parts of a split.")
        _drop(levels, level)
        return
    tops = _at(levels, 0)
    words = {name: re.sub(r"[^a-z]", "", name.lower()) for name in tops}
    odd = [name for name, word in words.items() if _PARTS.fullmatch(word)]
    several = len({part_of(name) for name in tops} - {""}) > 1
    if odd and (several or len(tops) > len(odd) + 1):
        named_parts = {name for name in tops if part_of(name)}
        below = Counter(
            name
            for top, name in {(names[0], names[1]) for names in levels.values() if len(names) > 1}
            if top in named_parts
        )
        if several and below and min(below.values()) > 1:
            odd = sorted(tops - named_parts)  # the classes lie below the parts
        raise HeldoutError(
            folder,
            "a folder for each class, or for each part of a split with the classes below",
            f"{listed(odd)} beside {listed(tops - set(odd))}",
            f"Exclude what is no class (`--exclude {','.join(odd)}` for new-study, `recordings: "
            f"{{exclude: [{', '.join(odd)}]}}` in the settings), or {_TABLE}.",
        )


def _take_series(
    folder: Path, levels: dict[str, list[str]], layout: Layout, *, stated: bool
) -> bool:
    """Take folds, sites and the like, which lie above the classes, for groups, where there are."""
    tops = _at(levels, 0)
    parts, pieces, places = all(map(part_of, tops)), _named(tops, _PIECES), _named(tops, _PLACES)
    if len(tops) < 2 or not (parts or pieces or places):
        return False
    deep = {(names[0], names[1]) for names in levels.values() if len(names) > 1}
    repeated = [name for name, times in Counter(name for _, name in deep).items() if times > 1]
    if len(repeated) < 2 or any(len(names) < 2 for names in levels.values()):
        # The question may be which place it was; which fold or set it was, nobody asks.
        if places:
            return False
        raise _no_classes(folder, tops, "folds, sets or sites")
    what = "folds" if pieces else "sites"
    told = f"The folders {listed(tops)} are taken for {what}, with the classes below"
    if not stated:
        layout.group = {path: names[0] for path, names in levels.items()}
        layout.folds = len(tops) if pieces else 0
        told += ": each is one group, and is never in two parts of a split"
    layout.told.append(f"{told}.")
    _drop(levels, 0)
    return True


def _take_persons(
    folder: Path, levels: dict[str, list[str]], layout: Layout, groups: Mapping[str, str]
) -> None:
    """Tell classes from persons where two levels of folders are left."""
    while levels and all(len(names) > 1 for names in levels.values()) and len(_at(levels, 1)) == 1:
        if len(_at(levels, 0)) < 2:
            break
        _drop(levels, 1)  # bell/wav, hum/wav
    tops = _at(levels, 0)
    deep = {path: names for path, names in levels.items() if len(names) > 1}
    if len(deep) < len(levels) or len(tops) < 2:
        if deep and not layout.group and not groups:
            layout.told.append(_passed_over(deep, "not all recordings lie in one"))
        return
    stated = all(groups.get(path) == names[0] for path, names in levels.items())
    if stated or (not groups and not layout.group and _persons_above(folder, levels)):
        layout.group = {path: names[0] for path, names in levels.items()}
        if not stated:
            layout.told.append(
                f"The folders {listed(tops)} are taken for groups (persons, sites), and those "
                f"below ({listed(_at(levels, 1))}) for the classes. "
                f"{_otherwise('^[^/]+/([^/]+)/', 'the folders below are the persons')}"
            )
        _drop(levels, 0)
        return
    if groups or layout.group:
        return
    pairs = {(names[0], names[1]) for names in levels.values()}
    of_class = Counter(top for top, _ in pairs)
    if len(pairs) == len(levels) and len(_at(levels, 1)) == len(pairs):
        return  # each recording has a folder of its own
    if min(of_class.values()) < 2:
        one = min(of_class, key=lambda top: (of_class[top], top))
        layout.told.append(_passed_over(deep, f"{one} has one only"))
        return
    layout.group = {path: names[1] for path, names in levels.items()}
    layout.told.append(
        f"The folders below the classes ({listed(_at(levels, 1))}) are taken for groups (persons, "
        f"sites). {_otherwise('(.*)', 'each recording is a group of its own')}"
    )


def _persons_above(folder: Path, levels: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether the top folders are persons and those below classes, which then repeat."""
    tops, below = _at(levels, 0), _at(levels, 1)
    pairs = {(names[0], names[1]) for names in levels.values()}
    repeats = Counter(name for _, name in pairs)
    crossed = min(repeats.values()) > 1 and len(pairs) > _CROSSED * len(tops) * len(below)
    counted, counted_below = (all(map(_is_counted, names)) for names in (tops, below))
    if not crossed or (counted_below and not counted):
        return False
    if counted and not counted_below:
        return True
    if len(tops) < len(below) and not counted:
        return False
    raise HeldoutError(
        folder,
        "folders that tell classes from persons",
        f"{listed(tops)}, with the same folders in each: {listed(below)}",
        "Say what names the person. Where it is the top folder: --groups '^([^/]+)/' for "
        "new-study, `folder: {groups: '^([^/]+)/'}` in the settings; the classes are then those "
        f"below. Where it is the folder below: '^[^/]+/([^/]+)/'. Or {_TABLE}.",
    )


def _is_counted(name: str) -> bool:
    return bool(_COUNTED.fullmatch(name.lower()))


def _named(names: Iterable[str], words: str) -> bool:
    """Tell whether all names are one of some words and a number or a letter: fold1, set_a."""
    pattern = re.compile(rf"({words})s?[\s_.-]*(\d+|[a-z])")
    return all(pattern.fullmatch(name.lower()) for name in names)


def _no_classes(folder: Path, names: Iterable[str], what: str) -> HeldoutError:
    tables = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*.csv"))
    there = f" What {tables[0]} says of them may belong there." if tables else ""
    return HeldoutError(
        folder,
        "a folder for each class",
        f"{listed(names)}, which are {what}, and no folder of a class below",
        f"Make a folder for each class in each of them, or {_TABLE}.{there}",
    )


def _passed_over(deep: Mapping[str, Sequence[str]], why: str) -> str:
    return (
        f"The folders below the classes ({listed(_at(deep, 1))}) are not taken for groups, since "
        f"{why}. {_otherwise('^[^/]+/([^/]+)/', 'they are persons')}"
    )


def _otherwise(pattern: str, meant: str) -> str:
    return (
        f"Where {meant}, state it: --groups '{pattern}' for new-study, "
        f"folder: {{groups: '{pattern}'}} in the settings."
    )


def _warn_of_persons(layout: Layout) -> None:
    classes = set(layout.label.values())
    if len(classes) > 1 and _named(classes, _PERSONS):
        layout.told.append(
            f"The classes are {listed(classes)}: the question is who it is. Where it is another "
            f"one, {_TABLE}."
        )


def _warn_of_gaps(layout: Layout, units: Mapping[str, str]) -> None:
    """Say which part, fold or site lacks a class that others have."""
    held: dict[str, set[str]] = {}
    for path, unit in units.items():
        if unit and path in layout.label:
            held.setdefault(unit, set()).add(layout.label[path])
    for label in sorted(set(layout.label.values())):
        lacking = sorted(unit for unit, labels in held.items() if label not in labels)
        if lacking:
            layout.told.append(f"There is no recording of {label} in {named(lacking)}.")
