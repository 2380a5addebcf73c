"""How Sphinx makes the site from the Markdown of `docs`: `make docs`."""

import ast
from pathlib import Path

import mmdr
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]


def stated() -> str:
    """Read the version from where it stands, without importing what the library needs."""
    tree = ast.parse((ROOT / "lib" / "__init__.py").read_text(encoding="utf-8"))
    (value,) = (node.value for node in tree.body if isinstance(node, ast.Assign))
    return str(ast.literal_eval(value))


project = "Heldout"
author = copyright = "The Heldout authors"
release = stated()

extensions = [
    "myst_parser",
    "autoapi.extension",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["site", "findings"]

# Links to headings are those of GitHub.
myst_heading_anchors = 4
default_role = "code"
myst_fence_as_directive = ["mermaid"]

# What is useful outside the workflow. It is read, not imported: none of what it needs is installed.
PUBLIC = ("audit", "datasets", "features", "metrics", "networks", "splits", "statistics")
autoapi_dirs = [str(ROOT / "lib")]
autoapi_root = "api"
autoapi_add_toctree_entry = False
autoapi_options = ["members", "show-module-summary"]
autoapi_ignore = [
    f"*/lib/{path.name}" if path.is_file() else f"*/lib/{path.name}/*"
    for path in (ROOT / "lib").iterdir()
    if path.stem not in ("__init__", *PUBLIC)
]
autoapi_python_class_content = "both"
napoleon_google_docstring = False
napoleon_use_rtype = False

# The word "shape" in the type of a parameter is no reference; imports of what is not public are not
# followed.
suppress_warnings = ["ref.python", "autoapi.python_import_resolution"]

html_theme = "furo"
html_title = "Heldout"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["style"]
html_css_files = ["flowchart.css"]

# Each page, and no other, as one of four kinds (https://diataxis.fr).
KINDS = {
    "Tutorials": [
        "tutorials/first-verdict",
        "tutorials/my-folder",
        "tutorials/new-study",
        "tutorials/my-cluster",
    ],
    "How-to guides": [
        "own-recordings",
        "sites",
        "audit",
        "mirror",
        "hyperparameter-search",
        "watching",
        "cluster",
        "kubernetes",
        "accelerators",
        "originals",
        "checklists",
        "extending",
        "module",
        "troubleshooting",
    ],
    "Reference": [
        "configuration",
        "training",
        "data",
        "tables",
        "The library <api/lib/index>",
        "findings",
        "svm-ensemble",
        "benchmarks",
        "faults",
    ],
    "Explanation": ["report", "design", "scale"],
}


def navigation(app: Sphinx, name: str, source: list[str]) -> None:
    """Add to the first page what the navigation is made from; on GitHub it would be in the way."""
    if name == "index":
        for kind, pages in KINDS.items():
            lines = "\n".join(pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {kind}\n\n{lines}\n```\n"


class Mermaid(Directive):
    """A flowchart, drawn when the site is built: a reader's browser fetches nothing."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Draw it on white, which holds for the dark theme, too."""
        svg = mmdr.render("\n".join(self.content)).svg()
        return [nodes.raw("", f'<div class="flowchart">{svg}</div>', format="html")]


def setup(app: Sphinx) -> None:
    """Add what the pages use."""
    app.add_directive("mermaid", Mermaid)
    app.connect("source-read", navigation)
