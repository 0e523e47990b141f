"""Run the notebooks of the documentation, each in an empty folder; fail where a cell fails.

    python scripts/notebooks.py [NOTEBOOK ...]

They are kept without outputs, so that nothing in them can be out of date.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

REPOSITORY = Path(__file__).resolve().parents[1]
LONGEST = 120  # seconds a cell may take


def main() -> int:
    """Run the notebooks; 1 if one failed."""
    os.environ["PYTHONPATH"] = str(REPOSITORY)
    os.environ["PATH"] = (
        f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # me-datasets of this environment
    )
    chosen = [Path(name) for name in sys.argv[1:]] or sorted((REPOSITORY / "docs").rglob("*.ipynb"))
    failed = False
    for path in chosen:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        with_output = [index for index, cell in enumerate(notebook.cells) if cell.get("outputs")]
        if with_output:
            failed = True
            print(f"{path.name}: cell {with_output[0] + 1} has an output; clear all outputs before you save it")
        with tempfile.TemporaryDirectory() as folder:
            try:
                NotebookClient(
                    notebook, timeout=LONGEST, kernel_name="python3", resources={"metadata": {"path": folder}}
                ).execute()
                print(f"{path.name}: {sum(cell.cell_type == 'code' for cell in notebook.cells)} cells ran")
            except CellExecutionError as error:
                failed = True
                print(f"{path.name}: {error}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
