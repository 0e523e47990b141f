"""Patterns of schemas match whole texts, and those that would take for ever end with an error that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets_me.core.errors import SchemaError
from datasets_me.schema import naming, patterns, schema_files
from datasets_me.schema.patterns import Located, matcher
from datasets_me.schema.template import Template

SLOW = "(a|a)*(a|a)*(a+)+$"


def test_a_match_gives_the_groups_that_take_part() -> None:
    assert matcher(r"(?P<a>x)?(?P<b>\d+)").fields("12") == {"b": "12"}
    assert matcher("(?P<a>x)?").fields("X") == {"a": "X"}
    assert matcher("(?P<a>x)", ignore_case=False).fields("X") is None
    assert matcher("x").fields("xx") is None
    assert matcher("x").fields("x") == {}


@pytest.mark.parametrize("pattern", ["(a+)+$", SLOW])
def test_a_pattern_never_takes_for_ever(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_SECONDS", 0.1)
    try:
        assert not patterns.compiled.__wrapped__(pattern, "it", "").fits("a" * 5000 + "!")
    except SchemaError as error:
        assert error.what.startswith("it takes too long to match 'aaaaa")


def test_a_slow_pattern_is_named_with_its_file_line_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_SECONDS", 0.1)
    text = schema_files.load("casme-sq").text.replace("(?P<nickname>[a-z]+\\d+)_(?P<number>\\d+)", SLOW)
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    names = schema_files.load_file(path).spec.names
    line = 1 + text.split("\n").index(f"    clip: '{SLOW}'")
    with pytest.raises(SchemaError) as caught:
        naming.derive(names, {"clip": "a" * 100 + "!"})
    assert caught.value.lines() == [
        f"the pattern '{SLOW}' takes too long to match '{'a' * 59}…'",
        f"  where: {path}, line {line}: names.split.clip",
        "  to do: write the pattern so that a text matches it in one way only: 'a+' instead of '(a+)+' or 'a*a*'",
    ]


def test_a_slow_template_is_named_with_the_patterns_of_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_SECONDS", 0.1)
    template = Template(Located("v_{clip}_{take}", "my.yaml, line 9: names.video"))
    with pytest.raises(SchemaError) as caught:
        template.matcher({"clip": Located("((a|a)*)*", "my.yaml, line 5: names.patterns.clip")}).fits("v_" + "a" * 99)
    assert caught.value.what.startswith("the template 'v_{clip}_{take}' takes too long to match 'v_aaa")
    assert caught.value.where == "my.yaml, line 9: names.video; my.yaml, line 5: names.patterns.clip"


def test_many_matches_that_are_each_quick_enough_are_too_slow_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "_SECONDS", 0.5)
    monkeypatch.setattr(patterns, "_SLOW", 0.0001)
    pattern = patterns.compiled.__wrapped__("a*a*a*a*b?", "it", "")
    with pytest.raises(SchemaError, match="takes too long"):
        for length in range(150, 10_000):
            pattern.fits("a" * length + "!")
