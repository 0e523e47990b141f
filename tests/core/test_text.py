"""Texts for terminals, for JSON on terminals, and for CSVs that people open."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets_me.core.text import csv_cell, misspelt, printable, printable_json, printable_lines
from datasets_me.schema.schema_files import shipped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("evil\x1b]0;title\x07", "evil\\x1b]0;title\\x07"),
        ("a\x9b31mb", "a\\x9b31mb"),
        ("abc\u202ecba\u2066", "abc\\u202ecba\\u2066"),
        ("one\ntwo\rthree\tfour\u2028", "one\\x0atwo\\x0dthree\\x09four\\u2028"),
        ("not UTF-8: \udcff", "not UTF-8: \\udcff"),
        ("CAS(ME)² [red] 微表情 👩‍💻", "CAS(ME)² [red] 微表情 👩‍💻"),
    ],
)
def test_nothing_is_left_that_a_terminal_obeys(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_what_is_printable(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in shown)
    assert printable(shown) == shown
    assert printable_lines(text).replace("\n", "\\x0a") == shown


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_means_the_same(value: object) -> None:
    text = printable_json(json.dumps(value, ensure_ascii=False, indent=1))
    assert json.loads(text) == value
    assert printable_lines(text) == text


@pytest.mark.parametrize("text", ["=1+1", "+x", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "--1"])
def test_formulas_are_text(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-3.5", "+7", "-1e-3", "-inf", -3.5, 0, None, "", "casme_015", "a=b", "'=1"])
def test_other_cells_stay(value: object) -> None:
    assert csv_cell(value) is value


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *[("CSAME2", "casme2"), ("casme22", "casme2"), ("casmee-sq", "casme-sq"), ("cas(em)3", None), ("dfem", "dfme")],
        *[
            ("CASME", "casme"),
            ("5DME", None),
            ("SMIC-VIS", "smic-vis"),
            ("smic-uv", None),
            ("casme3d", None),
            ("casme-iv", None),
        ],
        *[("casme-vii", None), ("samm2", None), ("mmew", "mmew"), ("sam", None), ("", None), ("CAMSE II", "casme ii")],
        *[("samm-loong-videos", "samm-long-videos"), ("samm-long-vidoes", "samm-long-videos")],
    ],
)
def test_a_misspelling_is_never_another_dataset(name: str, meant: str | None) -> None:
    known = [alias for schema in shipped() for alias in (schema.spec.id, *schema.spec.aliases)]
    found = misspelt(name, known)
    assert (found and found.casefold()) == meant
