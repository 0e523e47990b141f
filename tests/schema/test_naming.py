"""Templates write and read names; values follow from each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.schema import naming
from datasets_me.schema.naming import Identity
from datasets_me.schema.schema_files import Schema
from datasets_me.schema.template import Template


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("casme_{folder:03}_{code:04}", {"folder": "15", "code": "101"}, "casme_015_0101"),
        ("s{folder:0}", {"folder": "007"}, "s7"),
        ("{clip}", {"clip": "EP02_01f"}, "EP02_01f"),
        ("img{frame:03}.jpg", {"frame": "12345"}, "img12345.jpg"),
    ],
)
def test_writing(template: str, values: dict[str, str], text: str) -> None:
    assert Template(template).render(values) == text


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_is_written_is_read(first: int, second: int) -> None:
    template = Template("s{a:03}/{b:0}_x")
    match = template.matcher({}).fields(template.render({"a": str(first), "b": str(second)}))
    assert match is not None
    assert (int(match["a"]), int(match["b"])) == (first, second)


def test_a_field_that_occurs_twice_is_read_twice() -> None:
    match = Template("s{folder:0}/{folder:0}_{code}").matcher({}).fields("s19/23_0502")
    assert match is not None
    assert match == {"folder__1": "19", "folder": "23", "code": "0502"}


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="code"):
        Template("{folder}_{code}").render({"folder": "1"})


@pytest.mark.parametrize(
    "values",
    [
        {"participant": "1", "clip": "anger1_2"},
        {"participant": "01", "clip": "Anger1_2"},
        {"folder": "15", "code": "0401", "clip": "anger1_2"},
        {"video_name": "casme_015_0401", "clip": "anger1_2"},
    ],
)
def test_many_ways_to_one_identity(casme_sq: Schema, values: dict[str, str]) -> None:
    identity = naming.identify(casme_sq.spec.names, naming.derive(casme_sq.spec.names, values))
    assert identity is not None
    assert (identity.subject, identity.video) == ("casme_015", "casme_015_0401")
    assert (identity.expression or "").casefold() == "anger1_2"


def test_values_that_name_nothing(casme_sq: Schema) -> None:
    assert naming.identify(casme_sq.spec.names, naming.derive(casme_sq.spec.names, {"participant": "99"})) is None


def test_a_whole_video_has_no_expression(casme_sq: Schema) -> None:
    known = naming.derive(casme_sq.spec.names, {"folder": "15", "code": "0401"})
    assert naming.identify(casme_sq.spec.names, known) == Identity("casme_015", "casme_015_0401", None)


def test_tables_of_a_workbook_come_before_those_of_the_schema(casme_sq: Schema) -> None:
    known = naming.derive(casme_sq.spec.names, {"participant": "1"}, {"folder": {"1": "18"}})
    assert known["folder"] == "18"
