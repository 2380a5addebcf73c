"""Write the generated pages of `docs`.

python -m pages                   # all; the notebook trains its networks again, in a minute or two
python -m pages structure faults  # some
"""

from __future__ import annotations

import argparse
from importlib import import_module

# Each is a module with a function `write`.
PAGES = (
    *("configuration", "benchmarks", "faults", "audit"),
    *("findings", "svm_ensemble", "structure", "notebook"),
)


def main(arguments: list[str] | None = None) -> None:
    """Write the pages that were asked for."""
    parser = argparse.ArgumentParser(
        prog="pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", help=f"of {', '.join(PAGES)}; all by default")
    given = parser.parse_args(arguments).pages
    for name in given:
        if name not in PAGES:
            parser.error(f"unknown page {name!r}; known: {', '.join(PAGES)}")
    for name in given or PAGES:
        import_module(f"pages.{name}").write()


if __name__ == "__main__":
    main()
