"""One grammar for the action units of all datasets; what it cannot read is kept as text.

::

    cell      = item { [ "+" | "," | ";" ] item }
    item      = choice { ( "or" | "/" ) choice }
    choice    = [ side ] core [ intensity ] [ "?" ]
    core      = number | "(" cell ")" | "ref" ( number | "(" cell ")" )
    side      = L | R | A | T | B, alone or as doubt: "(L/A)", "A/L"
    intensity = A .. E, "(B/C)" or "B/C"

``or`` binds more tightly than ``+``. A side or an intensity before or after parentheses holds for every unit inside.
Words are text; after a denial (``loses 1+2``) the rest of its level is text, too. Where all alternatives but one are
text, that one is uncertain. Meanings after Ekman, Friesen, Hager: Facial Action Coding System, 2002, and the notes
on the sheet of SAMM Long Videos.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from datasets_me.core.text import clean
from datasets_me.formats.records import ActionUnit, Side

SIDES: dict[str, Side] = {"L": "left", "R": "right", "A": "asymmetric", "T": "top", "B": "bottom"}
_LETTERS = {side: letter for letter, side in SIDES.items()}

FACS_NUMBERS = frozenset({1, 2, *range(4, 47), *range(50, 67), 68, 69, *range(70, 75), *range(80, 86), 91, 92, 97, 98})
"""Action units, descriptors, head, eye and gross behaviour codes of FACS (2002)."""

_DENIALS = {"loses", "lose", "losing", "lost", "no", "not", "without", "minus", "absent"}
_NO_OPTION = (None, "close", "join", "or", "slash", "query")
_SIDE_PATTERNS = (
    ("open", "letter", "slash", "letter", "close"),
    ("letter", "slash", "letter"),
    ("letter", "slash"),
    ("letter",),
)
# Limits that no coder's cell reaches: combinations in one group of alternatives, units, characters, nested
# parentheses.
_MOST_OPTIONS, _MOST_UNITS, _MOST_CHARACTERS, _DEEPEST = 64, 64, 300, 16

_KINDS = ("unit", "ref", "or", "letter", "open", "close", "join", "slash", "query", "word")

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<unit>(?:(?:AU|AD)\s?)?(?P<side>[LRABT])?(?P<number>\d{1,2})(?P<intensity>[A-E](?:/[A-E])*)?
        (?=$ | or(?![a-z]) | [^0-9A-Za-z.\-] | [.\-](?!\d)))
    | (?P<ref>ref(?![a-z0-9]))
    | (?P<or>or(?![a-z]))
    | (?P<letter>(?-i:[LRABTCDE])(?![0-9A-Za-z]))
    | (?P<open>\() | (?P<close>\)) | (?P<join>[+,;]) | (?P<slash>/) | (?P<query>\?)
    | (?P<word>[^\s()+,;/?]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Reading:
    """The content of a cell: its units, the text that was not understood, and whether "or" and "+" were mixed."""

    units: tuple[ActionUnit, ...] = ()
    unread: tuple[str, ...] = ()
    ambiguous: bool = False


def read_action_units(text: str) -> Reading:
    """Read a cell such as ``6B+12B+15C+26+((8+25)or(50))``.

    Every number, letter and word of the text is either in a unit or in ``unread``; the function never fails. A text
    that is too long or too deeply nested for a coder's cell is not read at all.
    """
    cleaned = re.sub(r"^(\d{1,2})\.0+$", r"\1", clean(text))  # a CSV written from a table of floats
    if len(cleaned) > _MOST_CHARACTERS:
        return Reading(unread=(cleaned,))
    try:
        parser = _Parser(cleaned)
        units = list(_number_alternatives(parser.level(top=True)))
    except _TooMuchError:
        return Reading(unread=(cleaned,))
    return Reading(tuple(units), tuple(parser.unread()), parser.ambiguous)


def format_action_units(units: Sequence[ActionUnit]) -> str:
    """A text that :func:`read_action_units` reads back to the same units."""
    pieces = []
    for group, members in itertools.groupby(units, key=lambda unit: unit.alternative):
        if group is None:
            pieces += [_format_unit(unit) for unit in members]
            continue
        options = ["+".join(map(_format_unit, option)) for _, option in itertools.groupby(members, lambda u: u.option)]
        pieces.append("(" + "or".join(f"({option})" for option in options) + ")")
    return "+".join(pieces)


def _format_unit(unit: ActionUnit) -> str:
    intensity = unit.intensity or ""
    text = _LETTERS.get(unit.side, "") + str(unit.au) + (f"({intensity})" if "/" in intensity else intensity)
    return (f"ref({text})" if unit.reflex else text) + ("?" if unit.uncertain else "")


class _TooMuchError(Exception):
    pass


@dataclass
class _Choice:
    """Alternatives, of which one is right."""

    options: list[_Parts]


_Parts = list["ActionUnit | _Choice"]


def _changed(parts: _Parts, **update: object) -> _Parts:
    """The parts with a side or an intensity for the units that have none, or with a mark on all units."""

    def change(unit: ActionUnit) -> ActionUnit:
        new = {
            key: value
            for key, value in update.items()
            if not (key == "side" and unit.side != "bilateral") and not (key == "intensity" and unit.intensity)
        }
        return unit.model_copy(update=new)

    return [
        change(part) if isinstance(part, ActionUnit) else _Choice([_changed(o, **update) for o in part.options])
        for part in parts
    ]


def _expand(parts: _Parts) -> list[list[ActionUnit]]:
    """Nested alternatives multiplied out: every combination of units that the parts allow."""
    combinations: list[list[ActionUnit]] = [[]]
    for part in parts:
        options = [[part]] if isinstance(part, ActionUnit) else [e for o in part.options for e in _expand(o)]
        combinations = [done + option for done in combinations for option in options]
        if len(combinations) > _MOST_OPTIONS:
            raise _TooMuchError
    return combinations


def _number_alternatives(parts: _Parts) -> Iterable[ActionUnit]:
    group = 0
    units: list[ActionUnit] = []
    for part in parts:
        if isinstance(part, ActionUnit):
            units.append(part)
            continue
        for number, option in enumerate(_expand([part])):
            units += [unit.model_copy(update={"alternative": group, "option": number}) for unit in option]
        group += 1
    if len(units) > _MOST_UNITS:
        raise _TooMuchError
    return units


@dataclass
class _Parser:
    """A recursive descent over the tokens of one cell. Methods consume tokens and return the parts they read."""

    text: str
    ambiguous: bool = False
    _at: int = 0
    _text_spans: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tokens = [m for m in _TOKEN.finditer(self.text) if m.lastgroup != "space" and not m["space"]]
        self._kinds = [next(kind for kind in _KINDS if token[kind] is not None) for token in self._tokens]
        self._units = [0, *itertools.accumulate(kind == "unit" for kind in self._kinds)]
        self._closing, deepest = _parentheses(self._kinds)
        if deepest > _DEEPEST:
            raise _TooMuchError

    def unread(self) -> list[str]:
        """The pieces of text that were not understood, neighbours joined, in order."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(self._text_spans):
            if merged and not self.text[merged[-1][1] : start].strip():
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return [self.text[start:end] for start, end in merged]

    def _kind(self, ahead: int = 0) -> str | None:
        index = self._at + ahead
        return self._kinds[index] if index < len(self._kinds) else None

    def _take(self) -> re.Match[str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _take_as_text(self, count: int = 1) -> None:
        for _ in range(count):
            self._text_spans.append(self._take().span())

    def _touches(self) -> bool:
        """Whether the next token follows the last one without a space."""
        return self._tokens[self._at].start() == self._tokens[self._at - 1].end()

    def level(self, *, top: bool = False) -> _Parts:
        """Items up to the closing parenthesis, which the caller takes, or to the end at the top level."""
        parts: _Parts = []
        items = choices = 0
        while (kind := self._kind()) is not None:
            if kind == "close":
                if not top:
                    break
                self._take_as_text()  # it closes nothing
            elif kind == "join":
                self._take()
            else:
                item, worded = self._item()
                parts += item
                items += 1
                choices += worded
        self.ambiguous |= bool(choices) and items > 1
        return parts

    def _denies(self) -> bool:
        return self._kind() == "word" and self._tokens[self._at].group().casefold() in _DENIALS

    def _rest_of_level(self) -> int:
        depth = count = 0
        while (kind := self._kind(count)) is not None:
            depth += (kind == "open") - (kind == "close")
            if depth < 0:
                break
            count += 1
        return count

    def _item(self) -> tuple[_Parts, bool]:
        """One item, and whether it has alternatives joined by the word "or" without parentheses around them."""
        first = self._at
        options, worded = [self._choice()], False
        while True:
            if self._kind() in ("or", "slash") and self._kind(1) not in _NO_OPTION:
                worded |= self._kind() == "or"
                self._take()
                options.append(self._choice())
            elif self._kind() == "open" and self._kind(1) == "or" and self._holds_unit():  # "14 (or 24)"
                self._at += 2
                options.append(self.level())
                if self._kind() == "close":
                    self._take()
            else:
                break
        if not any(options):
            if len(options) > 1:  # words joined by "or" are one text
                self._text_spans.append((self._tokens[first].start(), self._tokens[self._at - 1].end()))
            return [], False
        readable = [option for option in options if option]
        if len(readable) == 1:  # the other options are text: whether this one is right is open
            return (readable[0] if len(options) == 1 else _changed(readable[0], uncertain=True)), False
        return [_Choice(readable)], worded

    def _choice(self) -> _Parts:
        """A unit or a parenthesis with side, intensity and doubt; nothing where there is text instead."""
        if self._denies():
            self._take_as_text(self._rest_of_level())
            return []
        start = self._at
        sides = self._sides()
        after_sides = self._at
        parts = self._core()
        if parts is None:
            self._at = start
            self._words()
            return []
        if not parts:  # a parenthesis of text: the side in front of it is text, too
            self._text_spans += [token.span() for token in self._tokens[start:after_sides]]
            return []
        intensity = self._intensity()
        if intensity:
            parts = _changed(parts, intensity=intensity)
        if len(sides) == 1:
            parts = _changed(parts, side=sides[0])
        elif sides:
            parts = [_Choice([_changed(parts, side=side) for side in sides])]
        self._note()
        if self._kind() == "query":
            self._take()
            parts = _changed(parts, uncertain=True)
        return parts

    def _words(self) -> None:
        """A token that begins no unit, the words after it, and their question mark, as text."""
        self._take_as_text()
        while self._kind() == "word" and not self._denies():
            self._take_as_text()
        if self._kind() == "query" and self._touches():
            self._take_as_text()

    def _sides(self) -> list[Side]:
        """``L``, ``(L/A)`` or ``A/`` in front of a unit or a parenthesis; consumed only where one follows."""
        for pattern in _SIDE_PATTERNS:
            length = len(pattern)
            if tuple(self._kind(i) for i in range(length)) != pattern:
                continue
            letters = [self._tokens[self._at + i].group() for i in range(length) if pattern[i] == "letter"]
            follower = self._kind(length)
            if not all(letter in SIDES for letter in letters) or follower not in ("unit", "open", "ref"):
                continue
            if pattern == ("letter", "slash"):
                after = self._tokens[self._at + length]
                if follower != "unit" or not after["side"]:
                    continue
                letters.append(after["side"].upper())
            self._at += length
            return [SIDES[letter] for letter in letters]
        return []

    def _core(self) -> _Parts | None:
        """A unit, a parenthesis, or a reflex of either; None where the next token is none of them."""
        kind = self._kind()
        if kind == "unit":
            return [self._unit()]
        if kind == "ref" and self._kind(1) in ("unit", "open"):
            reflex = self._take()
            parts = self._core()
            if not parts:
                self._text_spans.append(reflex.span())
                return []
            return _changed(parts, reflex=True)
        if kind == "open" and self._holds_unit():
            opening = self._take()
            parts = self.level()
            if self._kind() == "close":
                self._take()
            else:
                self._text_spans.append(opening.span())
            return parts
        if kind == "open":
            self._take_as_text(self._parenthesis())
            return []
        return None

    def _unit(self) -> ActionUnit:
        token = self._take()
        intensity = token["intensity"]
        # "A/L12": the letter before the slash and that of the unit are alternatives, and `_sides` has read both.
        side = token["side"] if token["side"] and not self._after_side_slash(token) else None
        return ActionUnit(
            au=int(token["number"]),
            side=SIDES[side.upper()] if side else "bilateral",
            intensity=intensity.upper() if intensity else None,
        )

    def _after_side_slash(self, token: re.Match[str]) -> bool:
        return bool(re.search(r"(?<![0-9A-Za-z])[LRABT]/$", self.text[: token.start()]))

    def _intensity(self) -> str | None:
        """``B``, ``B/C`` or ``(B/C)`` right behind a unit or a parenthesis."""
        if self._kind() == "letter" and self._touches():
            length = 1
            while self._kind(length) == "slash" and self._kind(length + 1) == "letter":
                length += 2
            first, count = 0, length
        elif self._kind() == "open" and self._kind(1) == "letter":
            length = self._parenthesis()
            first, count = 1, length - 2
        else:
            return None
        tokens = self._tokens[self._at + first : self._at + first + count]
        text = "".join(token.group() for token in tokens)
        if not re.fullmatch(r"[A-E](/[A-E])*", text) or self._kind(length - 1) not in ("close", "letter"):
            return None
        if first and self._sides_ahead():
            return None
        self._at += length
        return text

    def _sides_ahead(self) -> bool:
        """Whether the parenthesis is the side of the next unit, as in ``4 (A/B)12``, rather than an intensity."""
        length = self._parenthesis()
        follower = self._at + length
        return (
            follower < len(self._tokens)
            and self._kind(length) in ("unit", "ref")
            and self._tokens[follower].start() == self._tokens[follower - 1].end()
        )

    def _note(self) -> None:
        """A remark in parentheses behind a unit: ``80 (big swallow)``."""
        while self._kind() == "open" and not self._holds_unit() and not self._sides_of_next():
            self._take_as_text(self._parenthesis())

    def _sides_of_next(self) -> bool:
        at = self._at
        sides = self._sides()
        self._at = at
        return bool(sides)

    def _parenthesis(self) -> int:
        """The number of tokens from the parenthesis at hand to its end, both included."""
        return self._closing[self._at] + 1 - self._at

    def _holds_unit(self) -> bool:
        return self._units[self._at + self._parenthesis()] > self._units[self._at]


def _parentheses(kinds: Sequence[str]) -> tuple[dict[int, int], int]:
    """Where each opening parenthesis is closed, the last token if nowhere; and the greatest number of open ones."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    deepest = 0
    for index, kind in enumerate(kinds):
        if kind == "open":
            opened.append(index)
            deepest = max(deepest, len(opened))
        elif kind == "close" and opened:
            closing[opened.pop()] = index
    return closing | dict.fromkeys(opened, len(kinds) - 1), deepest
