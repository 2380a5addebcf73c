"""The templates of pages, which names of classes and files are put into."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str) -> Environment:
    """Open the templates that lie in a package.

    Whatever is put in is escaped. Undefined names are errors: a misspelt one would print an empty
    place where a number belongs.

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
