"""The main job on a synthetic dataset, from the workbook to features and a card.

Installs what it needs into the environment it runs in, if that is missing, and says so while it does. What the commands
print goes into ``demo/log.txt``; on the screen stays what was found and what to open.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DEMO = Path("demo")
LOG = DEMO / "log.txt"
EXTRAS = "features,plots,viewer"
"""What the demo imports beyond the core: faces and flow, pictures, and the pages to look at them."""

DEFECTS = "ME103,ME107,ME111,ME115,ME202,ME203,ME301,ME402"
WIDTH = shutil.get_terminal_size((100, 24)).columns
SHOWN = 7
"""Lines of findings that fit on one screen of 24 lines, beside the rest."""


def main() -> None:
    """Install, run, and say what to open."""
    began = time.monotonic()
    install()
    shutil.rmtree(DEMO, ignore_errors=True)  # an earlier run of this script made it
    DEMO.mkdir()
    print("a synthetic dataset with planted defects: a workbook, and folders of frames", flush=True)
    run(f"synth casme-sq -o raw --seed 7 --subjects 4 --defects {DEFECTS}")
    run("convert raw/schema.yaml raw --root raw/frames -o manifest")
    findings = run("check manifest --root raw/frames --severity warning", fine=(1,))
    print("$ me-datasets check manifest --root raw/frames")
    print(short(findings))
    print(
        f"first result after {time.monotonic() - began:.0f} s; next, videos of a face, through every step:", flush=True
    )
    run("check manifest --root raw/frames --format html -o report.html", fine=(1,))
    run("synth casme-sq -o film --seed 7 --subjects 2 --faces --defects ME103,ME301")
    run("prepare film/schema.yaml film --root film/frames -o prepared --protocol loso", show=step)
    run("show prepared/manifest prepared/features casme_015_0401 -o motion.png")
    run(
        "export flow prepared/manifest --root film/frames --features prepared/features -o flow --sheet flow.png",
        fine=(0, 1),
    )
    print(f"done in {time.monotonic() - began:.0f} s; open in the folder {DEMO}:")
    print("  report.html              what was found in the workbook and the folders")
    print("  motion.png               the motion of one face, with its annotated expressions")
    print("  flow.png                 the flow from onset to apex of eight expressions: u, v and strain")
    print("  prepared/sheet.html      a frame of every video, with its crop and landmarks")
    print("  prepared/card/card.html  what the dataset holds, on a timeline")
    program = os.path.relpath(Path(sys.executable).with_name("me-datasets"))
    print("look at it and decide, in the browser:")
    print(f"  {program} view {DEMO}/prepared/manifest --root {DEMO}/film/frames --features {DEMO}/prepared/features")
    print("next: docs/tutorials/first-dataset.md")


def step(line: str) -> str | None:
    """A step of ``prepare`` that has ended, by its line; None for other lines."""
    match = re.match(r"(\w+) +(done|failed|skipped) ", line)
    return match and (match[1] if match[2] == "done" else f"{match[1]} ({match[2]})")


def install() -> None:
    """Install the package with the demo's extras, unless it is there; a line says how far it is."""
    wanted = ("datasets_me", "cv2", "dlib", "matplotlib", "uvicorn")
    if all(importlib.util.find_spec(name) for name in wanted):
        return
    command = [sys.executable, "-m", "pip", "install", "--no-compile", "--progress-bar", "off"]
    command += ["--constraint", REPOSITORY / "constraints.txt", "--editable", f"{REPOSITORY}[{EXTRAS}]"]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        lines = []
        doing = "starting"
        ended = threading.Event()

        def tell() -> None:
            while not ended.wait(1 if sys.stdout.isatty() else 5):
                say(f"installing, {time.monotonic() - began:.0f} s: {doing}")

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        for line in pip.stdout:
            lines.append(line)
            if match := re.match(r"(Collecting|Installing collected packages)[: ]*([\w.-]*)", line):
                doing = match[2] if match[1] == "Collecting" else "unpacking"
        ended.set()
        teller.join()
    if pip.returncode:
        sys.exit("".join(lines) + "\nthe libraries of the demo could not be installed; pip says why above")
    say(f"installed in {time.monotonic() - began:.0f} s", last=True)


def say(text: str, *, last: bool = False) -> None:
    """A line that the next one replaces, on a terminal; elsewhere a line."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="\n" if last else "", flush=True)
    else:
        print(text, flush=True)


def run(command: str, *, fine: tuple[int, ...] = (0,), show: Callable[[str], str | None] | None = None) -> list[str]:
    """Run a verb and write down what it prints; what ``show`` makes of its lines stands on the screen, in one line."""
    words = [sys.executable, "-m", "datasets_me", *shlex.split(command)]
    environment = {**os.environ, "COLUMNS": str(WIDTH), "PYTHONUNBUFFERED": "1"}
    lines = [f"$ me-datasets {command}\n"]
    with subprocess.Popen(
        words, cwd=DEMO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as program:
        assert program.stdout is not None
        for line in program.stdout:
            lines.append(line)
            if shown := show and show(line):
                print(f"  {shown}", end="", flush=True)
    if show:
        print()
    with LOG.open("a", encoding="utf-8") as log:
        log.writelines([*lines, "\n"])
    if program.returncode not in fine:
        sys.exit("".join(lines) + f"\nthe demo failed with exit code {program.returncode}; {LOG} has all of it")
    return lines[1:]


def short(lines: list[str]) -> str:
    """A table as it fits on the screen: its first lines, and the one that sums up."""
    lines = [line.rstrip()[:WIDTH] for line in lines if line.strip()]
    table, total = lines[:-2], lines[-2:-1]
    return "\n".join([*table[:SHOWN], *([f"… {LOG} has all of it"] if len(table) > SHOWN else []), *total])


if __name__ == "__main__":
    main()
