"""Schemas: aliases, suggestions, and faults named by line and YAML path."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datasets_me.core.errors import SchemaError
from datasets_me.schema import schema_files
from datasets_me.schema.schema_files import Schema


@pytest.mark.parametrize(
    ("typed", "dataset"),
    [
        ("casme-sq", "casme-sq"),
        ("CAS(ME)^2", "casme-sq"),
        ("cas(me)^2", "casme-sq"),
        ("CAS(ME)²", "casme-sq"),
        ("CASME_sq", "casme-sq"),
        ("SAMMLV", "samm-lv"),
        ("samm_lv", "samm-lv"),
        ("CASME II", "casme2"),
        ("casme2", "casme2"),
        ("SAMM", "samm"),
        ("SMIC", "smic-hs"),
        ("CAS(ME)3", "casme3-a"),
        ("CASME", "casme"),
        ("SMIC-VIS", "smic-vis"),
        ("CAS(ME)3 part C", "casme3-c"),
        ("dfme", "dfme"),
    ],
)
def test_what_people_type(typed: str, dataset: str) -> None:
    assert schema_files.load(typed).spec.id == dataset


def test_a_close_miss_gets_a_suggestion() -> None:
    with pytest.raises(SchemaError) as caught:
        schema_files.load("samlv")
    assert str(caught.value) == (
        "there is no dataset 'samlv'\n"
        "  to do: did you mean 'samm-lv'? Known: 4dme, casme-sq, casme, casme2, casme3-a, casme3-c, dfme, meview, "
        "mmew, samm-lv, samm, smic-hs, smic-nir, smic-vis; "
        "or give the path of a schema (.yaml)"
    )


def test_every_name_belongs_to_one_dataset() -> None:
    from datasets_me.core.text import fold

    owners: dict[str, str] = {}
    for schema in schema_files.shipped():
        for name in (schema.spec.id, *schema.spec.aliases):
            assert owners.setdefault(fold(name), schema.spec.id) == schema.spec.id


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "fps: 30",
            "fsp: 30",
            "my.yaml, line 6: fsp: unknown key; did you mean 'fps'? allowed: absent, aliases, auwgcn_csv, citation, "
            "composites, corrections, crop, emotions, exclude, expected, expression_type, fps, id, layouts, licence, "
            "names, questions, relocations, synthetic, title, version, workbook",
        ),
        (
            "holds: video",
            "holds: film",
            "line 87: layouts.0.holds: Input should be 'video' or 'expression' (found 'film')",
        ),
        ("base: 1}", "base: 7}", "line 16: workbook.frames.base: Input should be 0 or 1 (found 7)"),
        ("fps: 30", "fps: 0", "line 6: fps: Input should be greater than or equal to 0.01 (found 0)"),
        ("'\\d{1,2}'", "'('", "line 30: workbook.variants.0.looks.participant: not a regular expression: "),
        (
            "'\\d{1,2}'",
            f"'{'(' * 490}{')' * 490}'",
            "line 30: workbook.variants.0.looks.participant: the regular expression is nested too deeply",
        ),
        (
            "'\\d{1,2}'",
            f"'{'a' * 1001}'",
            "line 30: workbook.variants.0.looks.participant: the regular expression has 1,001 characters; at most",
        ),
        ("id: casme-sq", "id: 1" + ":59" * 3000, "a value in the schema cannot be read: Exceeds the limit"),
        ("layout: rawpic\n", 'layout: "raw\\r: \\npic"\n', "relocations.0.layout: no layout 'raw\r: \npic'; there are"),
        ("{folder:03}_{code:04}", "{folder:0999999999}_{code:04}", "names.video: a brace is not closed, or"),
        (
            "layout: rawpic\n",
            "layout: rawpick\n",
            "line 109: relocations.0.layout: no layout 'rawpick'; there are rawpic, selectedpic, cropped, rawvideo",
        ),
        (
            'video: "casme_{folder:03}_{code:04}"',
            'video: "casme_{nofield}"',
            "names.video: no column, split, lookup or pattern gives {nofield}",
        ),
        ("{folder:03}_{code:04}", "{folder:03}_{code", "names.video: a brace is not closed"),
        ("fps: 30", "fps: 30\nfps: 25", "my.yaml, line 7: the key 'fps' occurs twice"),
        ("id: cropped", "id: rawpic", "layouts.2.id: 'rawpic' is taken"),
        ("code: {sheet: 3", "film: {sheet: 3", "workbook.variants.0.lookups.film: names.lookups has no 'film'"),
        ("folder: '\\d+', code", "folder: '(?P<f>\\d+)', code", "names.patterns.folder: a pattern has no named groups"),
        ("annotations: 357", "annotations: -5", "expected.annotations: Input should be greater than or equal to 0"),
        ("fps: 30", "fps: .inf", "fps: Input should be a finite number"),
        ("onset: C", "begin: C", "workbook.variants.0: the columns lack 'onset'"),
        ("{participant: A,", "{participant: [P],", "header: none needs a column letter for 'participant'"),
        ("title: CAS(ME)²", "", "line 1: title: is missing"),
    ],
)
def test_faults_are_named_by_line_and_path(casme_sq: Schema, old: str, new: str, fault: str) -> None:
    assert old in casme_sq.text
    with pytest.raises(SchemaError) as caught:
        schema_files.parse(casme_sq.text.replace(old, new, 1), "my.yaml")
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "not YAML"),
        ("- a", "a schema must be a mapping"),
        ("", "a schema must be a mapping"),
        ("a: !!int x", "a value in the schema cannot be read"),
        ("id: 2001-99-99", "a value in the schema cannot be read"),
        ("&a [*a]", r"^the alias \*a is used inside its own definition\n  where: my\.yaml, line 1$"),
        ("&a {b: *a}", r"^the alias \*a is used inside its own definition\n  where: my\.yaml, line 1$"),
        ("a: {b: [1]\n", "not YAML"),
        ("\na: " + "[" * 20_000, r"^the schema is nested more than 32 deep\n  where: my\.yaml, line 2$"),
        ("- " * 20_000, r"^the schema is nested more than 32 deep\n  where: my\.yaml, line 1$"),
        ("a: 1" + ":59" * 100_000, r"^a value has more than 10,000 characters\n  where: my\.yaml, line 1$"),
        ("#" * 1_000_001, r"^the schema has 1,000,001 characters; at most 1,000,000 are read\n  where: my\.yaml$"),
        ("\n".join(f"k{n}: 1" for n in range(3_000)), r"\n  and 2,989 more$"),
        ("expression_type[constant: micro", "the schema is not valid"),
        (
            "a0: &a0 [x,x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1},*a{n - 1}]\n" for n in range(1, 40)),
            r"^the schema has more than 100,000 values\n  where: my\.yaml, line 15$",
        ),
    ],
)
def test_what_is_no_schema(text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        schema_files.parse(text, "my.yaml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="the schema cannot be read: no such file"):
        schema_files.load(str(tmp_path / "none.yaml"))


def test_films_are_codes_not_numbers(casme_sq: Schema) -> None:
    """Unquoted, YAML would read 0101 as the octal number 65."""
    codes = casme_sq.spec.names.lookups["code"].values
    assert codes["disgust1"] == "0101"
    assert all(len(code) == 4 for code in codes.values())
    assert set(casme_sq.spec.names.lookups["slug"].values) == set(codes.values())


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'folder: "s{folder:0}/{clip}"',
            'folder: "../{clip}"',
            "layouts.1.folder: it must be a relative path, but it leads",
        ),
        (
            'frame: "img{frame:03}.jpg"',
            'frame: "../{frame}.jpg"',
            "layouts.0.frame: it must be a file name, but it contains",
        ),
        ("found: s19/", "found: /s19/", "relocations.0.found: it must be a relative path, but it is absolute"),
        ('file: "cas(me)_new.csv"', 'file: "../x.csv"', "auwgcn_csv.file: it must be a file name, but it contains '/'"),
        ('dataset: "cas(me)^2"', 'dataset: "../x"', "auwgcn_csv.dataset: it must be a file name, but it contains '/'"),
    ],
)
def test_paths_are_checked_when_a_schema_is_read(casme_sq: Schema, old: str, new: str, fault: str) -> None:
    assert old in casme_sq.text
    with pytest.raises(SchemaError) as caught:
        schema_files.parse(casme_sq.text.replace(old, new, 1), "own.yaml")
    (said,) = caught.value.details
    assert said.startswith("own.yaml, line ") and fault in said


def test_room_around_a_face_on_each_side(casme_sq: Schema) -> None:
    assert {item.video: str(item.pad) for item in casme_sq.spec.crop.overrides} == {
        "casme_027_*": "top edge, bottom 20px",
        "casme_021_*": "top edge",
        "casme_037_*": "top 20px",
        "casme_031_0507": "left 10px, top 10px, right 10px, bottom 10px",
        "casme_024_0507": "left 10px, top 10px, right 10px, bottom 10px",
    }


@pytest.mark.parametrize(
    ("pad", "fault"),
    [
        (
            "{left: 80}",
            "pad.left: the margin must be a fraction of the face box, such as 0.25, or '10px', '-40px' or 'edge'",
        ),
        (
            "{top: egde}",
            "pad.top: the margin must be a fraction of the face box, such as 0.25, or '10px', '-40px' or 'edge'",
        ),
        ("{above: edge}", "pad.above: unknown key; allowed: bottom, left, right, top"),
        ("-1", "pad: Input should be greater than or equal to 0 (found -1)"),
    ],
)
def test_room_that_means_nothing(pad: str, fault: str, casme_sq: Schema) -> None:
    text = casme_sq.text.replace("{top: edge, bottom: 20px}", pad)
    with pytest.raises(SchemaError) as caught:
        schema_files.parse(text, "my.yaml")
    (line,) = str(caught.value).splitlines()[1:]
    assert f"crop.overrides.0.{fault}" in line


def test_a_pipe_is_no_schema_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(SchemaError, match=r"^the schema cannot be read: it is not a regular file\n"):
        schema_files.load(str(tmp_path / "pipe.yaml"))
