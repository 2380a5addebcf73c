"""The templates of pages and files, which names of classes and files are put into."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str, *, markup: bool = True) -> Environment:
    """Open the templates that lie in a package.

    Undefined names are errors: a misspelt one would print an empty
    place where a number belongs.

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
