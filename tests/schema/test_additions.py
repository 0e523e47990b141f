"""Entries added to a schema: the text around them stays, and what was there is not lost."""

from __future__ import annotations

import pytest

from datasets_me.core.errors import SchemaError
from datasets_me.schema import schema_files
from datasets_me.schema.additions import with_additions
from datasets_me.schema.schema_files import Schema
from datasets_me.schema.spec import Correction, LeftOut, Relocation

FIRST = Correction(subject="s", video="v", column="offset", old="5", new="6", why="first")
LATER = FIRST.model_copy(update={"expression": "e", "onset": "1", "row": 9, "old": "05", "new": "7", "why": "later"})
OTHER = Correction(subject="s", video="v", column="onset", old="5", new="6", why="other: 'é' # no comment")
LEFT_OUT = LeftOut(video="w", why="turned away")


def test_only_the_lines_of_a_part_change(casme_sq: Schema) -> None:
    one = with_additions(casme_sq, [FIRST, OTHER], exclude=[LEFT_OUT])
    assert one.spec == casme_sq.spec.model_copy(update={"corrections": [FIRST, OTHER], "exclude": [LEFT_OUT]})
    two = with_additions(one, [LATER], exclude=[LEFT_OUT.model_copy(update={"row": 3})])
    assert two.spec.corrections == [OTHER, LATER]
    assert [entry.row for entry in two.spec.exclude] == [None, 3]
    before, after = casme_sq.text.splitlines(), two.text.splitlines()
    assert [line for line in before if line not in after] == ["corrections: []"]
    place = before.index("corrections: []")
    assert after[place : place + 2] == ["corrections:", "- subject: s"]
    assert two.text.endswith("exclude:\n- video: w\n  why: turned away\n- video: w\n  row: 3\n  why: turned away\n")


def test_a_part_between_others_with_comments(casme_sq: Schema) -> None:
    layout = casme_sq.spec.layouts[0].id
    moved = Relocation(layout=layout, found="a/b", belongs="c/b", why="x")
    both = with_additions(casme_sq, relocations=[moved])
    assert both.spec.relocations == [*casme_sq.spec.relocations, moved]
    assert [line for line in both.text.splitlines() if line.lstrip().startswith("#")] == [
        line for line in casme_sq.text.splitlines() if line.lstrip().startswith("#")
    ]


def test_a_text_that_is_no_block_of_keys_is_written_anew(casme_sq: Schema) -> None:
    flow = schema_files.parse(str(casme_sq.spec.model_dump_json(exclude_unset=True)), "flow.yaml")
    assert with_additions(flow, [FIRST]).spec.corrections == [FIRST]


def test_an_entry_that_does_not_fit(casme_sq: Schema) -> None:
    with pytest.raises(SchemaError, match=r"corrections\.0\.column: no column 'nothing' in any variant"):
        with_additions(casme_sq, [FIRST.model_copy(update={"column": "nothing"})])
