"""The public functions of the library say what they take, give and raise, as numpydoc has it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import FunctionType

import pytest

import lib.metrics
import lib.statistics

MODULES = (
    *(
        "lib.datasets.registry",
        "lib.datasets.files",
        "lib.features.registry",
        "lib.splits.registry",
    ),
    *("lib.networks.models", "lib.audit.examples"),
    *(
        f"{package.__name__}.{module.name}"
        for package in (lib.metrics, lib.statistics)
        for module in pkgutil.iter_modules(package.__path__)
    ),
)


def functions() -> Iterator[tuple[str, FunctionType]]:
    for name in MODULES:
        for key, value in vars(importlib.import_module(name)).items():
            own = inspect.isfunction(value) and value.__module__ == name
            if own and not key.startswith("_"):
                yield f"{name}.{key}", value


FUNCTIONS = dict(functions())


def sections(function: FunctionType) -> dict[str, str]:
    """Return the sections of a docstring by their titles."""
    parts = re.split(r"^(\w+)\n-+$", inspect.getdoc(function) or "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def described(section: str) -> list[str]:
    """Return the names that a section `Parameters` describes."""
    heads = re.findall(r"^([*\w][^:\n]*?)(?: :.*)?$", section, re.MULTILINE)
    return [name.strip("* ") for head in heads for name in head.split(",")]


def test_there_are_functions_of_each_module() -> None:
    assert {name.rpartition(".")[0] for name in FUNCTIONS} == set(MODULES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_is_described(name: str) -> None:
    function = FUNCTIONS[name]
    found, signature = sections(function), inspect.signature(function)
    assert sorted(described(found.get("Parameters", ""))) == sorted(signature.parameters)
    if signature.return_annotation != "None":
        assert (found.get("Returns") or found["Yields"]).strip()
    if "raise HeldoutError" in inspect.getsource(function):
        assert "HeldoutError" in found["Raises"]


def test_what_is_not_described_is_seen() -> None:
    def lacking(a: int, *rest: int, b: int) -> int:
        """Add.

        Parameters
        ----------
        a, *rest : int
            Summands.
        """
        return a + b + sum(rest)

    assert isinstance(lacking, FunctionType)
    assert described(sections(lacking)["Parameters"]) == ["a", "rest"]
    assert "Returns" not in sections(lacking)
