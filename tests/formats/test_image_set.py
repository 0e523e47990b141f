"""The folder of images: round trips, refusals, roots; and the tables beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets_me.core.artefact import header
from datasets_me.core.errors import FolderError, ImagesError, MeDatasetsError, OutputError, PathError
from datasets_me.core.paths import path_fault
from datasets_me.findings.finding import finding
from datasets_me.formats import image_set, image_tables
from datasets_me.formats.image_records import EMOTIONS, ImageRow, QualityRow
from datasets_me.formats.image_set import Description, ImageSet
from datasets_me.formats.kinds import IMAGE_SET
from datasets_me.schema import image_schemas
from datasets_me.schema.images import SPLITS
from tests.images.conftest import Write, row

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBER = st.none() | st.integers(0, 2**31 - 1)


@st.composite
def rows(draw: st.DrawFn) -> ImageRow:
    return ImageRow(
        id=draw(TEXT),
        dataset="mine",
        path=draw(st.none() | TEXT.filter(lambda text: path_fault(text) is None)),
        pixels=draw(st.none() | st.binary(max_size=9)),
        split=draw(st.sampled_from([None, *SPLITS])),
        label=draw(st.sampled_from([None, *EMOTIONS])),
        label_raw=draw(st.none() | TEXT),
        subject=draw(st.none() | TEXT),
        frame=draw(NUMBER),
        width=draw(NUMBER),
        damage=draw(st.none() | TEXT),
        source_file=draw(TEXT),
        source_row=draw(NUMBER),
        extra=draw(st.dictionaries(TEXT, TEXT, max_size=3)),
    )


def write(folder: Path, *given_rows: ImageRow, force: bool = False) -> ImageSet:
    schema = image_schemas.load("folder-per-class")
    found = [finding("ME706", "not used", path="x.png")]
    where = {"name": "raw", "files": []}
    return image_set.write(folder, schema, given_rows, found, Description("mine", "raw", where), force=force)


@settings(max_examples=40)
@given(st.lists(rows(), max_size=5))
def test_what_is_written_is_read(tmp_path: Path, given_rows: list[ImageRow]) -> None:
    write(tmp_path / "i", *given_rows, force=True)
    images = image_set.read(tmp_path / "i")
    assert list(images.rows()) == given_rows
    assert [each for batch in images.batches(2) for each in batch] == given_rows
    assert all(each.pixels is None for each in images.rows(pixels=False))
    assert (len(images), images.dataset, images.spec.id) == (len(given_rows), "mine", "folder-per-class")
    assert [each.code for each in images.findings()] == ["ME706"]
    assert images.about["counts"]["subjects"] == len({each.subject for each in given_rows} - {None})


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / name, row("a.png"), row("b.png", extra={"view": "left"}))
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_only_a_set_of_images_is_replaced_and_only_with_force(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(OutputError, match="the output exists and is not a set of images"):
        write(tmp_path / "mine", force=True)
    write(tmp_path / "i", row("a.png"))
    with pytest.raises(OutputError, match="the set of images exists already"):
        write(tmp_path / "i")
    (tmp_path / "i" / "decisions.parquet").touch()
    with pytest.raises(OutputError, match=r"the folder contains other files, which would be lost: decisions\.parquet"):
        write(tmp_path / "i", force=True)
    (tmp_path / "i" / "decisions.parquet").unlink()
    assert len(write(tmp_path / "i", force=True)) == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_stop_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    def stopping() -> object:
        yield row("a.png")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "i", *stopping())  # type: ignore[misc]
    schema = image_schemas.load("folder-per-class")
    with pytest.raises(KeyboardInterrupt):
        image_set.write(tmp_path / "i", schema, stopping(), [], Description("m", None))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("images.json", None, r"not a set of images: there is no images\.json in it"),
        ("images.json", "{", r"the set of images is damaged: images\.json: Expecting"),
        ("images.json", json.dumps({**header(IMAGE_SET), "format": 9}), "the set of images has format 9, this version"),
        ("images.json", json.dumps(header(IMAGE_SET)), "the set of images is damaged: 'counts'"),
        ("images.parquet", None, r"the set of images is damaged: images\.parquet is missing"),
        ("images.parquet", "PAR1", "the set of images is damaged: Parquet"),
    ],
)
def test_damage_is_named(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    write(tmp_path / "i", row("a.png"))
    file = tmp_path / "i" / name
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises(MeDatasetsError, match=message):
        list(image_set.read(tmp_path / "i").rows())


def test_rows_that_are_too_many(write_set: Write) -> None:
    images = write_set(row("a.png"), name="one")
    write_set(row("a.png"), row("b.png"), name="two")
    (images.folder.parent / "two" / "images.parquet").replace(images.folder / "images.parquet")
    with pytest.raises(ImagesError, match=r"damaged: images\.parquet has 2 rows, but images\.json counts 1"):
        image_set.read(images.folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="not a set of images: there is no such folder"):
        image_set.read(tmp_path / "nowhere")


def test_roots(write_set: Write, tmp_path: Path) -> None:
    images = write_set(row("a.png"))
    with pytest.raises(ImagesError, match="nothing says where they lie") as caught:
        images.root(None)
    assert caught.value.fix == "give --root, the folder they were imported from (it was called raw)"
    with pytest.raises(FolderError, match="the root is not a folder"):
        images.root(tmp_path / "nowhere")
    assert images.root(tmp_path) == tmp_path
    assert write_set(name="inside", root=image_set.INSIDE).root(None) == tmp_path / "inside"
    assert write_set(name="pixels", root=None).root(None) is None
    assert image_set.load_image(row("a.png"), tmp_path) == "the file cannot be read: No such file or directory"


def test_tables_stand_beside_the_images(write_set: Write, tmp_path: Path) -> None:
    images = write_set(row("a.png"))
    quality = QualityRow(id="a.png", dataset="mine", sharpness=0.5, doubts=["blurred"])
    before = (images.folder / "images.parquet").read_bytes()
    image_tables.write_table(images, "quality", QualityRow, [quality], [], options={"x": 1})
    assert list(image_tables.read_table(images, "quality", QualityRow)) == [quality]
    assert (images.folder / "images.parquet").read_bytes() == before
    with pytest.raises(OutputError, match="the file exists already"):
        image_tables.write_table(images, "quality", QualityRow, [], [])
    image_tables.write_table(images, "quality", QualityRow, [], [], force=True)
    with pytest.raises(ImagesError, match=r"there is no faces\.parquet"):
        list(image_tables.read_table(images, "faces", QualityRow))
    (images.folder / "faces.parquet").write_text("mine")
    with pytest.raises(MeDatasetsError, match="the table is damaged, or not written by me-datasets"):
        image_tables.write_table(images, "faces", QualityRow, [], [], force=True)
    assert (images.folder / "faces.parquet").read_text() == "mine"
    other = write_set(row("b.png"), name="other")
    image_tables.write_table(other, "quality", QualityRow, [], [], out=tmp_path / "out")
    with pytest.raises(ImagesError, match="was made from other images than those of the set"):
        list(image_tables.read_table(images, "quality", QualityRow, tmp_path / "out"))


def test_what_the_folder_says_of_itself(tmp_path: Path) -> None:
    write(tmp_path / "i", row("a.png", split="train", label="fear"), row("b.png", damage="cut off"))
    about = json.loads((tmp_path / "i" / "images.json").read_text())
    assert about["counts"] == {
        "images": 2,
        "damaged": 1,
        "splits": {"": 1, "train": 1},
        "labels": {"": 1, "fear": 1},
        "subjects": 0,
        "findings": {"ME706": 1},
    }
    assert about["schema"]["sha256"] == image_schemas.load("folder-per-class").sha256


def test_a_strangers_table_is_refused_and_its_links_are_not_followed(write_set: Write, tmp_path: Path) -> None:
    images = write_set(*(row(f"{number}.png") for number in range(1500)), row("../private.png"))
    with pytest.raises(PathError) as caught:
        list(images.rows(pixels=False))
    assert (caught.value.what, caught.value.where) == (
        "the path '../private.png' cannot be used: it leads upwards",
        f"{images.folder / 'images.parquet'}, row 1501",
    )
    (tmp_path / "raw").mkdir()
    (tmp_path / "private.png").write_bytes(b"mine")
    (tmp_path / "raw" / "a.png").symlink_to(tmp_path / "private.png")
    said = {name: image_set.load_image(row(name), tmp_path / "raw") for name in ("a.png", "../private.png")}
    assert said == {
        "a.png": "'a.png' goes through a link that leads out of the folder",
        "../private.png": "'../private.png' is not a path under the folder: it leads upwards",
    }


def test_a_lock_that_was_left_does_not_keep_a_set_from_being_replaced(write_set: Write, tmp_path: Path) -> None:
    images = write_set(row("a.png"))
    (images.folder / ".decisions.parquet.lock").touch()
    write(images.folder, row("b.png"), force=True)
    assert [each.id for each in image_set.read(images.folder).rows()] == ["b.png"]
