"""Jinja templates of pages, filled with names of classes and files that come from data."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str) -> Environment:
    """Return an environment for the templates in a package.

    Every value is escaped. Undefined names are errors: a misspelt one would leave a blank where a
    number belongs.

    Parameters
    ----------
    package : str
        Dotted name, such as `lib.report`.

    Returns
    -------
    jinja2.Environment
    """
    return Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
