"""The verbs of images as a user runs them."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from datasets_me.synthetic.image_sets import make
from tests.conftest import Run, start
from tests.images.made import write_pictures


def test_import_look_and_cut(me_datasets: Run, tmp_path: Path) -> None:
    make("fer2013", tmp_path / "raw", images=14, seed=2)
    done = me_datasets("images", "import", "raw/set", "--schema", "raw/schema.yaml", "-o", "i")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FER2013: 14 images" in done.stdout
    assert "written to i" in done.stdout
    faces = me_datasets("images", "faces", "i", "--workers", "1")
    assert faces.returncode == 0, faces.stderr
    assert "faces: " in faces.stdout and "what helped: " in faces.stdout
    cut = me_datasets("images", "crop", "i", "-o", "mouths", "--region", "mouth")
    assert "mouth cut out of 1" in cut.stdout


def test_errors_among_the_findings_give_exit_code_one(me_datasets: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("emotion,pixels,Usage\n0,1 2,Training\n3," + " ".join(["7"] * 2304) + ",Training\n")
    done = me_datasets("images", "import", "t.csv", "--schema", "fer2013", "-o", "i")
    assert done.returncode == 1
    assert "ME701  error         1  image-row-unreadable  t.csv, row 2: the row gives no image: 2 pixels" in done.stdout
    done = me_datasets("images", "duplicates", "i", "--root", "nowhere")
    assert done.returncode == 2
    assert done.stderr == (
        "error: 0 sets have their files elsewhere, but --root is given 1 time\n  to do: leave it out\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_it_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    row = "3," + " ".join(["7"] * 2304) + ",Training\n"
    (tmp_path / "t.csv").write_text("emotion,pixels,Usage\n" + 8000 * row)
    with start(tmp_path, "images", "import", "t.csv", "--schema", "fer2013", "-o", "i") as process:
        while not list(tmp_path.glob(".i.*")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "stopped; nothing is kept\n")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_schemas_of_images_are_copied_and_checked(me_datasets: Run, tmp_path: Path) -> None:
    assert me_datasets("schema", "copy", "folder-per-class", "my.yaml").returncode == 0
    done = me_datasets("schema", "check", "my.yaml")
    assert (done.returncode, done.stdout) == (
        0,
        "my.yaml: folder-per-class is a valid schema of a set of images: 8 labels\n",
    )
    again = me_datasets("schema", "copy", "folder-per-class", "my.yaml")
    assert (again.returncode, again.stderr.splitlines()[0]) == (2, "error: the file exists already")
    text = (tmp_path / "my.yaml").read_text().replace("files:", "fils:\nfiles:")
    (tmp_path / "my.yaml").write_text(text)
    wrong = me_datasets("schema", "check", "my.yaml")
    assert wrong.returncode == 2 and "did you mean 'files'?" in wrong.stderr


def test_labels_come_from_a_schema_or_from_the_folders(me_datasets: Run, tmp_path: Path) -> None:
    write_pictures(tmp_path / "raw", ["Joy/1.png", "so so/2.png"])
    done = me_datasets("images", "import", "raw", "--labels", "folders", "-o", "i")
    assert done.returncode == 0 and "Joy" in done.stdout and "so so" in done.stdout
    neither = me_datasets("images", "import", "raw", "-o", "j")
    assert (neither.returncode, neither.stderr) == (
        2,
        "error: nothing says what the labels are\n  to do: give either --schema, or --labels folders\n",
    )
