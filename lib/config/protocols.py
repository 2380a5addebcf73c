"""Protocols of a study, checked together: what one of them alone does not show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.errors import HeldoutError, suggestion
from lib.splits.registry import KINDS, check_rule


def settle_protocols(study: Mapping[str, Any]) -> None:
    """Check the protocols, and tell those that follow the primary one what it is.

    Parameters
    ----------
    study : mapping
        Its `primary`, its `protocols` and its `training`. Of each whose test part chooses, `of`
        becomes the kind and the settings of the primary protocol, and `refit` that of the training.

    Raises
    ------
    HeldoutError
        A primary protocol on which nothing may be chosen, an impossible setting, one that is
        called honest and cannot be, or two that others are compared with.
    """
    primary, protocols = study["primary"], study["protocols"]
    if primary not in protocols:
        advice = suggestion(primary, list(protocols))
        raise HeldoutError("primary", "one of its protocols", repr(primary), advice)
    if not protocols[primary]["honest"]:
        raise HeldoutError(
            "primary: hyperparameters are chosen on it, so it must be an honest protocol",
            advice=f"{primary!r} has `honest: false`.",
        )
    chosen_on = split_options(protocols[primary])
    for protocol, rule in protocols.items():
        kind = KINDS.get(rule["kind"])
        if kind is not None and kind.never_honest and rule["honest"]:
            raise HeldoutError(
                f"protocol {protocol}",
                f"`honest: false`, since {kind.never_honest}",
                "`honest: true`",
                "Correct it.",
            )
        if kind is not None and kind.chooses_by_test:
            rule["of"] = chosen_on
            if study["training"].get("refit"):
                # Else the honest networks would have more to train on than those it sets beside.
                rule["refit"] = True
        try:
            check_rule(**split_options(rule))
        except HeldoutError as error:
            raise error.within(f"protocol {protocol}") from error
    if KINDS[protocols[primary]["kind"]].all_pairs:
        raise HeldoutError(
            "primary: hyperparameters are chosen on it, so it must hold more than one site",
            advice=f"{primary!r} trains on each site alone: name another protocol.",
        )
    randoms = [key for key, rule in protocols.items() if rule["kind"] == "random"]
    if len(randoms) > 1:
        raise HeldoutError(
            "protocols",
            "one of kind random at most, which the honest ones are compared with",
            ", ".join(randoms),
            "Leave out all but one.",
        )


def split_options(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Take the keys of a protocol that `lib.splits.make_split` takes."""
    return {key: value for key, value in rule.items() if key not in ("honest", "title")}
