"""The main job, end to end, on a synthetic dataset: make it, convert it, check it, show what a user would look at."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

DEMO = Path("demo")
DEFECTS = "ME103,ME107,ME108,ME111,ME115,ME201,ME202,ME203,ME204,ME301,ME305,ME402"


def run(command: str, *, fine: tuple[int, ...] = (0,)) -> None:
    """Show a command, run it, and stop the demo if it ends otherwise than expected."""
    print(f"\n$ me-datasets {command}", flush=True)
    done = subprocess.run([sys.executable, "-m", "datasets_me", *shlex.split(command)], cwd=DEMO)
    if done.returncode not in fine:
        sys.exit(f"the demo failed: exit code {done.returncode}")


def main() -> None:
    shutil.rmtree(DEMO, ignore_errors=True)  # an earlier run of this script made it
    DEMO.mkdir()
    run("datasets")
    run(f"synth casme-sq raw --seed 7 --subjects 4 --defects {DEFECTS}")
    run("convert raw/schema.yaml raw --root raw/frames -o casme-sq-manifest")
    run("check casme-sq-manifest --root raw/frames --deep --severity warning", fine=(1,))
    run("check casme-sq-manifest --root raw/frames --deep --format html -o report.html", fine=(1,))
    run("explain ME202")
    run("relocate casme-sq-manifest --root raw/frames")
    run("export auwgcn-csv casme-sq-manifest -o casme-sq.csv")
    run("diff casme-sq-manifest casme-sq.csv", fine=(0, 1))
    run("synth casme-sq film --seed 7 --subjects 2 --faces --defects ME103,ME301,ME306")
    run("prepare film/schema.yaml film --root film/frames -o film-prepared --protocol loso", fine=(0, 1))
    run("show film-prepared/manifest film-prepared/features casme_015_0401 -o casme_015_0401.png")
    run("images synth folder-per-class pictures --images 42 --seed 7 --defects")
    run("images import pictures/set --schema pictures/schema.yaml -o images", fine=(1,))
    run("images faces images --root pictures/set")
    run("images duplicates images --root pictures/set", fine=(1,))
    run("images crop images --root pictures/set -o mouths --region mouth --align", fine=(1,))
    print("\nlook at, in the folder demo:")
    print("  report.html                    findings of the folders; raw/truth.json says what was planted")
    print("  casme_015_0401.png             the motion of one video")
    print("  film-prepared/                 everything that training reads, and:")
    print("  film-prepared/report.html      all findings of the way there")
    print("  film-prepared/sheet.html       a frame of every video, with its crop and landmarks")
    print("  film-prepared/card/card.html   the dataset card, with timelines")
    print("  images/, mouths/               a set of images, and what was found in it")


if __name__ == "__main__":
    main()
