"""Splits by site: who is trained on, and who is tested on, for any sites and groups."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.audit import audit_split, require_honest
from lib.errors import HeldoutError
from lib.splits import KINDS, make_split
from lib.splits.registry import check_rule, folds_of

few = settings(max_examples=15, deadline=None)
SITES = ["x", "y", "z"]
BY = {"by": "site"}
LISTED = {**BY, "sites": SITES}
EXTERNAL = {**BY, "parts": {"train": ["x", "y"], "test": ["z"]}}
OF = {"sites": LISTED, "pairs": LISTED, "external": EXTERNAL}
kinds = st.sampled_from(sorted(OF))


@st.composite
def recorded(draw):
    """Draw recordings of three sites that take part and others; some groups are on several."""
    rows = []
    for site in [*SITES, "other", ""]:
        for group in range(draw(st.integers(4, 7))):
            travels = group > 2 and draw(st.booleans())
            name = f"traveller{group}" if travels else f"{site}{group}"
            for label in draw(st.sampled_from(["a", "b", "ab"])):
                rows += [(site, name, label)] * draw(st.integers(1, 3))
    table = pd.DataFrame(rows, columns=["site", "group", "label"])
    table["recording"] = [f"r{n}" for n in range(len(table))]
    return table.assign(example=np.arange(len(table)))


def divided(examples, kind, seed=0, **over):
    """Split, with the column only where recordings have it, as in a run."""
    split = make_split(
        examples.drop(columns="site"),
        kind=kind,
        seed=seed,
        recordings=examples[["recording", "site"]],
        **{**OF[kind], **over},
    )
    return split.assign(part=split["part"].astype(str)).merge(
        examples.drop(columns="site"), on="example"
    )


@few
@given(recorded(), kinds, st.integers(0, 3))
def test_no_group_that_is_tested_was_met_before(examples, kind, seed):
    joined = divided(examples, kind, seed)
    assert (joined.groupby(["fold", "group"])["part"].nunique() == 1).all()


@few
@given(recorded(), st.integers(0, 3))
def test_each_site_is_the_test_part_once_and_whole(examples, seed):
    joined = divided(examples, "sites", seed)
    for fold, site in enumerate(SITES):
        here = joined[joined["fold"] == fold]
        test = here["part"] == "test"
        assert set(here.loc[test, "site"]) == {site}
        assert test.sum() == (examples["site"] == site).sum()
        assert site not in set(here.loc[~test, "site"])
    assert set(joined["site"]) <= set(SITES)


@few
@given(recorded(), st.integers(0, 3))
def test_pairs_train_on_one_site_and_test_on_every_one(examples, seed):
    joined = divided(examples, "pairs", seed)
    for fold, site in enumerate(SITES):
        here = joined[joined["fold"] == fold]
        assert set(here.loc[here["part"] != "test", "site"]) == {site}
        assert set(here.loc[here["part"] == "test", "site"]) == set(SITES)
        # Of other sites only those are left out whose group is trained on.
        met = set(here.loc[here["part"] != "test", "group"])
        away = examples[examples["site"].isin(set(SITES) - {site}) & ~examples["group"].isin(met)]
        there = here[(here["part"] == "test") & (here["site"] != site)]
        assert sorted(there["example"]) == sorted(away["example"])


@few
@given(recorded(), st.integers(0, 3))
def test_external_validates_on_the_sites_of_the_train_part(examples, seed):
    joined = divided(examples, "external", seed)
    test = joined["part"] == "test"
    assert set(joined.loc[test, "site"]) == {"z"}
    assert set(joined.loc[~test, "site"]) <= {"x", "y"}
    assert {"train", "validation"} <= set(joined["part"])


@few
@given(recorded(), kinds)
def test_the_split_says_the_site_of_each_example(examples, kind):
    joined = divided(examples, kind).merge(examples[["example", "site"]], on="example")
    assert (joined["site_x"] == joined["site_y"]).all()


def audited(examples, split, **options):
    told = examples.drop(columns="site").assign(
        start=0.0, content=np.arange(len(examples)), flat=False
    )
    return audit_split(told, split, duration=1.0, classes=["a", "b"], honest=True, **options)


@few
@given(recorded(), kinds)
def test_the_audit_finds_nothing(examples, kind):
    split = divided(examples, kind)[["example", "fold", "part", "site"]]
    audit = audited(examples, split, sites=kind != "pairs")
    assert not audit["leaks"]
    per_fold = split.groupby("fold")["example"].nunique()
    assert audit["in_no_part"] == len(examples) - per_fold.min()


def test_the_audit_finds_a_tested_site_that_was_trained_on():
    examples = table(list("xxxyyy"), list("abcdef"), list("ababab"))
    split = examples[["example", "site"]].assign(
        fold=0, part=["test"] + 3 * ["train"] + 2 * ["validation"]
    )
    audit = audited(examples, split, sites=True)
    assert audit["leaks"]
    assert audit["sites_on_two_sides"] == {"count": 1, "sites": ["x"]}
    with pytest.raises(HeldoutError, match="sites of the test part are in another part: x"):
        require_honest(audit, study="s", protocol="p")
    # A network of one site is tested on other groups of it, too.
    assert not audited(examples, split)["leaks"]


def table(sites, groups, labels):
    return pd.DataFrame(
        {
            "example": np.arange(len(sites)),
            "recording": [f"r{n}" for n in range(len(sites))],
            "site": sites,
            "group": groups,
            "label": labels,
        }
    )


def test_a_site_with_two_groups_is_not_tested_on_by_its_own_network():
    groups = ["x0", "x1", "y0", "y1", "y2"]
    examples = table(["x", "x", "y", "y", "y"], groups, ["a", "b", "a", "b", "a"])
    joined = divided(examples, "pairs", sites=["x", "y"])
    test = joined[joined["part"] == "test"]
    assert set(test.loc[test["fold"] == 0, "site"]) == {"y"}
    assert set(test.loc[test["fold"] == 1, "site"]) == {"x", "y"}


@pytest.mark.parametrize(
    ("kind", "over", "groups", "message"),
    [
        (
            "pairs",
            {"sites": ["x", "y"]},
            "abccc",
            r"site y: expected at least 2 groups.*only \(c\)",
        ),
        ("sites", {"sites": ["x", "y"]}, "ababa", "site x: expected groups of other sites.*none"),
        ("sites", {"sites": ["x", "y"]}, "abccc", "site x left out: the train part: expected at"),
        ("sites", {"sites": ["x", "w"]}, "abcde", r"examples of w, got none; there are y \(3\), x"),
        (
            "external",
            {"parts": {"train": ["x"], "test": ["w"]}},
            "abcde",
            r"test part \(w, …\), got",
        ),
        ("sites", {"by": "device"}, "abcde", "by device: expected a column of the recordings"),
        (
            "sites",
            {"sites": ["x"]},
            "abcde",
            "^sites: expected two or more values of site, each on",
        ),
        ("pairs", {"sites": ["x", "x"]}, "abcde", "^sites: expected two or more .* got x, x"),
        ("external", {"parts": {"train": ["x"]}}, "abcde", "^parts: expected train, test and"),
    ],
)
def test_impossible_sites_are_refused(kind, over, groups, message):
    examples = table(["x", "x", "y", "y", "y"], list(groups), ["a", "b", "a", "b", "a"])
    with pytest.raises(HeldoutError, match=message):
        divided(examples, kind, **over)


def test_values_are_compared_as_they_are_written():
    examples = table([1.0, 1.0, 2.0, 2.0], list("abcd"), list("abab"))
    split = make_split(examples, kind="sites", by="site", sites=[1, "2"])
    assert set(split["site"]) == {"1", "2"}


def test_folds_are_known_before_there_are_examples():
    for kind in ("sites", "pairs"):
        check_rule(kind, **LISTED)
        assert folds_of(kind, **LISTED) == 3
    assert folds_of("external", **EXTERNAL) == folds_of("grouped") == 1
    assert folds_of("grouped", folds=4) == 4
    assert {name for name, kind in KINDS.items() if kind.all_pairs} == {"pairs"}
