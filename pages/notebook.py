"""Run the cells of the notebook anew and keep what comes out."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from pages.markdown import DOCS, ROOT

NOTEBOOK = DOCS / "recording_to_prediction.ipynb"


def execute(source: Path = NOTEBOOK) -> nbformat.NotebookNode:
    """Run every cell in an empty folder, with the library of this checkout.

    Parameters
    ----------
    source : Path
        The notebook; its outputs are not used.

    Returns
    -------
    NotebookNode
        The notebook with its outputs, and without times or the machine it ran on.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed.
    """
    notebook = nbformat.read(source, as_version=4)
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": folder}},
        )
        client.execute(env={**os.environ, **quiet})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            # Logs of TensorFlow name the machine and say nothing here.
            if output.get("name") == "stderr":
                sys.stderr.write(output["text"])
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if o.get("name") != "stderr"]
    notebook.metadata.pop("widgets", None)
    return notebook


def write() -> None:
    """Write the notebook."""
    nbformat.write(execute(), NOTEBOOK)
