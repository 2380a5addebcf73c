"""Jinja templates of pages and files, filled with names of classes and files from data."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str, *, markup: bool = True) -> Environment:
    """Return an environment for the templates in a package.

    Undefined names are errors: a misspelt one would leave a blank where a number belongs.

    Parameters
    ----------
    package : str
        Dotted name, such as `lib.report`.
    markup : bool
        Whether they make HTML, in which whatever is put in is escaped; else plain text.

    Returns
    -------
    jinja2.Environment
    """
    return Environment(
        loader=PackageLoader(package, "."),
        autoescape=markup,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not markup,
    )
