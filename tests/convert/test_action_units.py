"""The grammar of action units: cells as they stand in the datasets' shapes, round trips, and losing nothing."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datasets_me.convert.action_units import FACS_NUMBERS, SIDES, format_action_units, read_action_units
from datasets_me.formats.records import ActionUnit


@pytest.mark.parametrize(
    ("cell", "canonical", "unread"),
    [
        ("4", "4", ()),
        ("4+10+14", "4+10+14", ()),
        ("4,24", "4+24", ()),
        ("14,L24,", "14+L24", ()),
        ("L1+R2", "L1+R2", ()),
        ("T23", "T23", ()),
        ("12B ?", "12B?", ()),
        ("31?", "31?", ()),
        ("4(B/C)+7B", "4(B/C)+7B", ()),
        ("10A/B", "10(A/B)", ()),
        ("ref(7)+12B", "ref(7)+12B", ()),
        ("Ref(14)", "ref(14)", ()),
        ("6C/D+ref(7)12E+25", "6(C/D)+ref(7)+12E+25", ()),
        ("14or23", "((14)or(23))", ()),
        ("24 or 31 or 80", "((24)or(31)or(80))", ()),
        ("17B+(23/24) ", "17B+((23)or(24))", ()),
        ("(L/A)12(B/A)", "((L12(B/A))or(A12(B/A)))", ()),
        ("A/L12", "((A12)or(L12))", ()),
        ("A(4B/C)+5B", "A4(B/C)+5B", ()),
        ("R(12or14)B+38", "((R12B)or(R14B))+38", ()),
        ("9A ref (L12 or L10)", "9A+((ref(L12))or(ref(L10)))", ()),
        ("6B+12B+15C+26+((8+25)or(50))", "6B+12B+15C+26+((8+25)or(50))", ()),
        ("1 or (2+(3 or 4))", "((1)or(2+3)or(2+4))", ()),
        ("26+ADR30", "26+R30", ()),
        ("AU4 + AU7", "4+7", ()),
        ("４＋１２（B/C）", "4+12(B/C)", ()),
        ("4+glare", "4", ("glare",)),
        ("double 45", "45", ("double",)),
        ("80 (big swallow) ", "80", ("(big swallow)",)),
        ("80 (big swallow)? + 4", "80?+4", ("(big swallow)",)),
        ("4 (A/B)12", "4+((A12)or(B12))", ()),
        ("4 (A/B)ref(12)", "4+((ref(A12))or(ref(B12)))", ()),
        ("4 (A/B) 12", "4(A/B)+12", ()),
        ("4 B", "4", ("B",)),
        ("4(B/C/D)", "4(B/C/D)", ()),
        ("4(B C)", "4", ("(B C)",)),
        ("(1+2)B", "1B+2B", ()),
        ("(1B+2)C", "1B+2C", ()),
        ("L(1+R2)", "L1+R2", ()),
        ("not (1+2) or 4", "", ("not (1+2) or 4",)),
        ("(not 1+2)+4", "4", ("not 1+2",)),
        ("glare no 7", "", ("glare no 7",)),
        ("(4", "4", ("(",)),
        ("(4 + (7)", "4+7", ("(",)),
        ("4)+7", "4+7", (")",)),
        ("x?", "", ("x?",)),
        ("x ?", "", ("x ?",)),
        ("ref 7", "ref(7)", ()),
        ("ref(glare)", "", ("ref(glare)",)),
        ("ref x", "", ("ref x",)),
        ("AU 4", "4", ()),
        ("l1+r2", "L1+R2", ()),
        ("12c", "12C", ()),
        ("4F", "", ("4F",)),
        ("Q4", "", ("Q4",)),
        ("4(k)", "4", ("(k)",)),
        ("R14+17+soft focus", "R14+17", ("soft focus",)),
        ("7A/B+L10A/B)+12C", "7(A/B)+L10(A/B)+12C", (")",)),
        ("twice - L1B", "L1B", ("twice -",)),
        ("do 2x  R2(C and then B)", "R2", ("do 2x", "(C and then B)")),
        ("(loses 1+2) or (4(B/C))", "4(B/C)?", ("loses 1+2",)),
        ("4 or no 7", "4?", ("no 7",)),
        ("A/12", "12?", ("A",)),
        ("4 or glare", "4?", ("glare",)),
        ("L/R 12", "((L12)or(R12))", ()),
        ("14 (or 24)", "((14)or(24))", ()),
        ("4.0", "4", ()),
        ("1²", "1", ("²",)),
        ("all of the above", "", ("all of the above",)),
        ("good or bad", "", ("good or bad",)),
        ("Chewing", "", ("Chewing",)),
        ("?", "", ("?",)),
        ("4.5", "", ("4.5",)),
        ("4-7", "", ("4-7",)),
        ("123", "", ("123",)),
        ("ref()", "", ("ref()",)),
        ("R(", "", ("R(",)),
        ("(L/A)(x)", "", ("(L/A)(x)",)),
        ("()B/C", "", ("()B/C",)),
        ("((", "", ("((",)),
        ("", "", ()),
    ],
)
def test_cells(cell: str, canonical: str, unread: tuple[str, ...]) -> None:
    reading = read_action_units(cell)
    assert format_action_units(reading.units) == canonical
    assert reading.unread == unread


def test_alternatives_keep_what_goes_together() -> None:
    units = read_action_units("26+((8+25)or(50))+(1/2)").units
    assert [(unit.au, unit.alternative, unit.option) for unit in units] == [
        (26, None, None),
        (8, 0, 0),
        (25, 0, 0),
        (50, 0, 1),
        (1, 1, 0),
        (2, 1, 1),
    ]


def test_or_beside_plus_is_read_tightly_and_said() -> None:
    reading = read_action_units("4+12 or 14")
    assert format_action_units(reading.units) == "4+((12)or(14))"
    assert reading.ambiguous
    assert not read_action_units("4+(12 or 14)").ambiguous


def test_a_cell_that_multiplies_beyond_reason_stays_text() -> None:
    cell = "(" + "+".join(f"({n}or{n + 1})" for n in range(1, 20, 2)) + ")or(1)"
    assert read_action_units(cell).unread == (cell,)


@pytest.mark.parametrize(("count", "read"), [(64, True), (65, False)])
def test_as_many_alternatives_as_a_coder_may_mean(count: int, read: bool) -> None:
    cell = "or".join(str(number) for number in range(1, count + 1))
    reading = read_action_units(cell)
    assert len({unit.option for unit in reading.units}) == (count if read else 0)
    assert reading.unread == (() if read else (cell,))


def test_the_numbers_of_facs() -> None:
    beside = [number for number in range(100) if number not in FACS_NUMBERS]
    assert beside == [0, 3, 47, 48, 49, 67, *range(75, 80), *range(86, 91), *range(93, 97), 99]


def test_levels_in_levels_are_numbered_apart() -> None:
    units = read_action_units("(1or2)+4+(5or(6+7))+9").units
    assert [(unit.au, unit.alternative, unit.option) for unit in units] == [
        (1, 0, 0),
        (2, 0, 1),
        (4, None, None),
        (5, 1, 0),
        (6, 1, 1),
        (7, 1, 1),
        (9, None, None),
    ]


@pytest.mark.parametrize(
    ("cell", "ambiguous"),
    [
        ("4", False),
        ("4 or 7", False),
        ("4/7+12", False),
        ("12+4 or 7", True),
        ("(12+4 or 7)", True),
        ("(4 or 7)+12", False),
        ("4 or glare+12", False),
    ],
)
def test_what_is_ambiguous(cell: str, ambiguous: bool) -> None:
    assert read_action_units(cell).ambiguous == ambiguous


sides = st.sampled_from(["bilateral", *SIDES.values()])
intensities = st.sampled_from([None, *"ABCDE", "A/B", "D/C"])
plain_units = st.builds(
    ActionUnit,
    au=st.sampled_from(sorted(FACS_NUMBERS)),
    side=sides,
    intensity=intensities,
    uncertain=st.booleans(),
    reflex=st.booleans(),
)
options = st.lists(plain_units, min_size=1, max_size=3)
parts = st.lists(st.one_of(plain_units, st.lists(options, min_size=2, max_size=3)), max_size=5)


@given(parts)
def test_what_is_written_is_read_back(cell: list[ActionUnit | list[list[ActionUnit]]]) -> None:
    units: list[ActionUnit] = []
    group = 0
    for part in cell:
        if isinstance(part, ActionUnit):
            units.append(part)
            continue
        for number, option in enumerate(part):
            units += [unit.model_copy(update={"alternative": group, "option": number}) for unit in option]
        group += 1
    text = format_action_units(units)
    assume(len(text) <= 300)  # what is longer is not read
    reading = read_action_units(text)
    assert list(reading.units) == units
    assert reading.unread == ()


pieces = st.sampled_from(
    ["4", "12", "L", "R2", "(", ")", "+", ",", "/", "?", " ", "or", "ref", "A", "B/C", "glare", "loses", "8+25", "９"]
)


@given(st.one_of(st.lists(pieces, max_size=14).map("".join), st.text(max_size=30)))
def test_no_number_and_no_word_disappears(cell: str) -> None:
    import unicodedata

    from datasets_me.core.text import clean

    reading = read_action_units(cell)
    text = clean(cell)
    kept = " ".join(reading.unread)
    for number in re.findall(r"[0-9]+", text):
        as_unit = any(unit.au == int(number) for unit in reading.units)
        assert as_unit or number in kept, (text, number, reading)
    for word in re.findall(r"[^\W\d_]{3,}", text):
        structure = unicodedata.normalize("NFKC", word).casefold() in ("ref", "or")
        joined = word[:2].casefold() == "or" or "or" in word.casefold() or "ref" in word.casefold()
        assert structure or joined or word in kept, (text, word, reading)


@pytest.mark.parametrize("text", ["(" * 20_000 + "4", "(" * 17 + "4" + ")" * 17, "4+" * 150 + "4", "4+" * 64 + "4"])
def test_what_no_coder_writes_is_kept_as_text(text: str) -> None:
    reading = read_action_units(text)
    assert (reading.units, reading.unread) == ((), (text,))


def test_parentheses_in_each_other() -> None:
    reading = read_action_units("(" * 16 + "4" + ")" * 16)
    assert (format_action_units(reading.units), reading.unread) == ("4", ())
