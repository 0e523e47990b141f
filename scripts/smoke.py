"""Try a built wheel and sdist in environments that hold nothing else.

    python scripts/smoke.py DIST [--extra NAME]

Installs the wheel of the folder DIST with one extra, or with none, into a new environment, runs the commands that this
has to be enough for, and builds the wheel from the sdist again, which has to have the same files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

CORE = (
    "--version",
    "datasets",
    "explain ME203",
    "synth casme-sq -o set --subjects 2",
    "convert set/schema.yaml set --root set/frames -o manifest",
    "check manifest --root set/frames --format html -o report.html",
    "export auwgcn-csv manifest -o table.csv",
    "diff manifest table.csv",
)
"""What has to work without any extra; the others go on where these end."""

EXTRAS = {
    "": (),
    "pandas": (
        "python -c \"import datasets_me as me; me.read_manifest(__import__('pathlib').Path('manifest')).to_pandas()\"",
    ),
    "plots": ("card manifest -o card",),
    "splits": ("split manifest -o stratified --protocol kfold --folds 2 --stratify type",),
    "training": (
        "split manifest -o split",
        'python -c "import datasets_me.torch_data"',
    ),
    "features": (
        "synth casme-sq -o film --subjects 1 --faces",
        "convert film/schema.yaml film --root film/frames -o filmed",
        "extract filmed --root film/frames -o features --videos casme_015_0101",
    ),
    "images": (
        "images synth folder-per-class -o pictures --images 14",
        "images import pictures/set --schema pictures/schema.yaml -o images",
        "images faces images --root pictures/set",
    ),
    "texts": ('python -c "import rouge_score.rouge_scorer, sacrebleu"',),
    "viewer": ('python -c "import datasets_me.viewer.web, uvicorn"',),
    "cluster": ('python -c "from datasets_me.core.engine.cluster import connect"',),
    "all": (),
}
"""What each extra adds."""


def main() -> None:
    """Try the wheel and the sdist."""
    parser = argparse.ArgumentParser(description="Try a built wheel and sdist in environments that hold nothing else.")
    parser.add_argument("dist", type=Path)
    parser.add_argument("--extra", default="", choices=sorted(EXTRAS))
    chosen = parser.parse_args()
    dist = chosen.dist.resolve()
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        again = [sys.executable, "-m", "build", "--quiet", "--wheel", "--outdir", folder / "again"]
        run(["tar", "-xzf", sdist, "-C", folder], folder)
        (unpacked,) = (path for path in folder.iterdir() if path.is_dir() and path.name.startswith("me_datasets"))
        run([*again, unpacked], folder)
        (rebuilt,) = (folder / "again").glob("*.whl")
        if names(wheel) != names(rebuilt):
            sys.exit(f"the sdist makes another wheel: {sorted(names(wheel) ^ names(rebuilt))}")
        venv.create(folder / "env", with_pip=True)
        scripts = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
        what = f"{wheel}[{chosen.extra}]" if chosen.extra else str(wheel)
        run([scripts / "python", "-m", "pip", "install", "--quiet", "-c", REPOSITORY / "constraints.txt", what], folder)
        extras = EXTRAS if chosen.extra == "all" else {chosen.extra: EXTRAS[chosen.extra]}
        for command in (*CORE, *(command for several in extras.values() for command in several)):
            words = command if command.startswith("python ") else f"me-datasets {command}"
            print(f"$ {words}", flush=True)
            run(f'"{scripts}{os.sep}"{words}', folder)
    print(f"{wheel.name}{f' with extra {chosen.extra}' if chosen.extra else ''}: all commands ran")


def names(wheel: Path) -> set[str]:
    """The files in a wheel."""
    return set(zipfile.ZipFile(wheel).namelist())


def run(command: list[object] | str, folder: Path) -> None:
    """Run a command in a folder; end the program, with what it printed, if it fails.

    Exit code 1 is fine for a command line: it says that findings were made.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = command if isinstance(command, str) else [str(word) for word in command]
    done = subprocess.run(
        words, cwd=folder, env=environment, shell=isinstance(command, str), capture_output=True, text=True
    )
    if done.returncode not in ((0, 1) if isinstance(command, str) else (0,)):
        sys.exit(f"{command} failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
