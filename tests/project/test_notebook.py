"""The notebook of the docs: small, of no machine in particular, and it still comes out so."""

from __future__ import annotations

import re

import nbformat
import pytest

from pages.notebook import NOTEBOOK, execute


def written() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def outputs(notebook: nbformat.NotebookNode) -> list[list[tuple[str, str]]]:
    """Return what each cell of code printed or returned: kind and text, numbers left out."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            texts: list[tuple[str, str]] = []
            for o in cell.outputs:
                text = o.get("text") or o.get("data", {}).get("text/plain", "")
                # Whether two lines come as one message or as two is a matter of when.
                if texts and o.output_type == texts[-1][0] == "stream":
                    text = texts.pop()[1] + text
                texts.append((o.output_type, text))
            # What a network reaches differs in the last digits between machines, and with it the
            # spaces of a table.
            found.append([(kind, re.sub(r"[\d.\s]+", " ", text)) for kind, text in texts])
    return found


def test_the_notebook_is_executed_small_and_of_no_machine() -> None:
    nbformat.validate(written())
    assert NOTEBOOK.stat().st_size < 500_000
    cells = [cell for cell in written().cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not any(o.output_type == "error" for cell in cells for o in cell.outputs)
    assert not re.search(r'[" (](/[a-z]+){2,}/', NOTEBOOK.read_text(encoding="utf-8"))
    source = "\n".join(cell.source for cell in cells)
    for module in ("datasets", "features", "splits", "networks", "metrics", "statistics"):
        assert re.search(rf"lib\.{module}|from lib import .*{module}", source), module


@pytest.mark.slow
def test_its_cells_run_and_show_what_stands_there() -> None:
    again = execute()
    assert outputs(again) == outputs(written())
    # What the notebook is there to show: at random the same network seems to be better.
    (text,) = [
        output["data"]["text/plain"]
        for cell in again.cells
        for output in cell.get("outputs", [])
        if "macro_f1" in output.get("data", {}).get("text/plain", "")
    ]
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()[2:]}
    assert float(rows["random"][0]) > float(rows["grouped"][0]) + 0.1
