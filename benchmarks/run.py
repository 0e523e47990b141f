"""Run benchmarks and write their tables into the documentation, with date, machine and versions: ``make bench``.

    python benchmarks/run.py [NAME ...] [--list]

Each benchmark is a script beside this one that prints Markdown. Its page, ``docs/benchmarks/NAME.md``, is the script's
docstring and what it prints. Without names, those that take minutes on two cores are run; the others by name.
"""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGES = HERE.parent / "docs" / "benchmarks"

ARGUMENTS = {"extract": "--frames 480 --videos 8 --face 130"}
"""What a benchmark is run with, where that is not its defaults."""

LONG = ("cluster", "fidelity", "image_peers", "long_video", "many_images", "rerun", "spotting")
"""Those that take more than ten minutes or ask for an argument, and are run only if they are named."""

LIBRARIES = ("numpy", "opencv-contrib-python", "pyarrow", "pandas", "torch")


def commands() -> dict[str, str]:
    """Every benchmark by its name, as it is run: the scripts beside this one that can be run."""
    scripts = [path for path in sorted(HERE.glob("*.py")) if path.stem != "run"]
    runnable = [path.stem for path in scripts if '__name__ == "__main__"' in path.read_text(encoding="utf-8")]
    return {name: f"benchmarks/{name}.py {ARGUMENTS.get(name, '')}".strip() for name in runnable}


def main() -> int:
    """Run the benchmarks that are named, or those that take minutes; 1 if one failed."""
    known = commands()
    parser = argparse.ArgumentParser(description="Run benchmarks and write their tables into the documentation.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--list", action="store_true", help="print the commands and run nothing")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(known):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    names = chosen.names or [name for name in known if name not in LONG]
    if chosen.list:
        print("\n".join(f"python {known[name]}" for name in names))
        return 0
    failed = False
    for name in names:
        print(f"python {known[name]}", flush=True)
        words = [sys.executable, *shlex.split(known[name])]
        with tempfile.TemporaryDirectory() as bytecode:
            done = subprocess.run(words, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, env=environment(bytecode))
        if done.returncode:
            failed = True
            print(f"{name} failed with exit code {done.returncode}; its page stays as it is")
        else:
            (PAGES / f"{name.replace('_', '-')}.md").write_text(page(name, known[name], done.stdout), encoding="utf-8")
    return int(failed)


def environment(bytecode: str) -> dict[str, str]:
    """The environment of a benchmark: the checkout is what is measured, compiled once as an installed package is."""
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": bytecode}
    return {**os.environ, **compiled, "PYTHONPATH": str(HERE.parent)}


def page(name: str, command: str, printed: str) -> str:
    """The page of a benchmark: what it measures, how it was run, on what, and its tables."""
    docstring = ast.get_docstring(ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))) or ""
    title, _, rest = docstring.partition("\n\n")
    words = [part for part in rest.split("\n\n") if part.strip() and "python benchmarks/" not in part]
    return (
        "\n\n".join(
            [
                f"# {name.replace('_', ' ')}",
                title.replace("``", "`"),
                *(part.replace("``", "`") for part in words),
                f"Run by `python {command}` on {date.today():%Y-%m-%d}, {machine()}.",
                printed.strip(),
            ]
        )
        + "\n"
    )


def machine() -> str:
    """The machine and the versions, in words."""
    versions = [f"Python {platform.python_version()}"]
    for library in LIBRARIES:
        try:
            versions.append(f"{library} {importlib.metadata.version(library)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return f"{os.cpu_count()} cores, {processor()}, {platform.system()} {platform.machine()}; {', '.join(versions)}"


def processor() -> str:
    """The processor's name, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "an unknown processor"


if __name__ == "__main__":
    sys.exit(main())
