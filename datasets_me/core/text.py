"""Text of cells, labels and names brought to one form, and suggestions for close misses."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
# Full-width forms only: a footnote mark such as the superscript in "46¹" must not become a digit.
_FULL_WIDTH = {code: unicodedata.normalize("NFKC", chr(code)) for code in (0x3000, *range(0xFF01, 0xFF5F))}
_HALVES = dict.fromkeys(
    range(0xD800, 0xE000), "\ufffd"
)  # of surrogate pairs, which JSON may name and no file can contain
_CLEANED = {**_FULL_WIDTH, **_INVISIBLE, **_HALVES}


def clean(text: str) -> str:
    """A text with ordinary instead of full-width characters, without invisible ones, and with single spaces.

    Lone surrogates become ``U+FFFD``.
    """
    return " ".join((text if text.isascii() else text.translate(_CLEANED)).split())


def fold(text: str) -> str:
    """A form for comparing labels: cleaned, in NFKC, lower case, without spaces and ``_-.``."""
    return re.sub(r"[\s_.\-]+", "", unicodedata.normalize("NFKC", clean(text))).casefold()


# Control characters of ASCII and of Latin-1 (C1), separators of lines, marks and overrides of direction, and bytes of
# file names that are not UTF-8, which Python hands over as lone surrogates.
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""A text on one line in which the characters that a terminal would obey are spelt out (``\x1b``)."""
    return _OBEYED.sub(_spelt_out, text)


def printable_lines(text: str) -> str:
    """The same for a text of several lines, which stay apart."""
    return "\n".join(map(printable, text.split("\n")))


def printable_json(text: str) -> str:
    r"""The same for JSON, which keeps its meaning: JSON can spell any character out (``\u009b``)."""
    return _OBEYED.sub(lambda match: match[0] if match[0] == "\n" else f"\\u{ord(match[0]):04x}", text)


def _spelt_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def is_utf8(text: str) -> bool:
    """Whether a file's name is text: bytes that are not UTF-8 come as lone surrogates."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def csv_cell(value: object) -> object:
    """A cell for a CSV that people open: a text that a spreadsheet would read as a formula gets an apostrophe in front.

    Numbers stay numbers, as text or not. CSV files that only programs read do not need this.
    """
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def plain_number(text: str) -> str:
    """Digits without leading zeros (``"007"`` is ``"7"``); any other text unchanged."""
    return text.lstrip("0") or "0" if re.fullmatch(r"[0-9]+", text) else text


def same(first: str, second: str) -> bool:
    """Whether two cell texts name the same thing: ``"01"`` and ``"1"``, ``"EP02 "`` and ``"ep02"``."""
    return plain_number(fold(first)) == plain_number(fold(second))


_MOST_RANGES = 6


def ranges(numbers: Iterable[int]) -> str:
    """Rising numbers as ranges for a message: ``3, 7-9``."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts[:_MOST_RANGES])
    return shown + (f" and {len(parts) - _MOST_RANGES} more ranges" if len(parts) > _MOST_RANGES else "")


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word nearest to ``word``, or None where nothing is near."""
    by_fold = {fold(name): name for name in known}
    near = difflib.get_close_matches(fold(word), by_fold, n=1, cutoff=cutoff)
    return by_fold[near[0]] if near else None


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` is a misspelling of, or None.

    Numbers, and parts of a name with up to three letters, must be the same but for repeated digits: ``casme22`` is
    ``casme2``, but ``SMIC-UV`` is not ``smic-hs``, and ``CASME`` is neither ``casme2`` nor ``casme3``. Of longer parts
    one letter may be wrong, missing, added, or two may be exchanged.
    """
    parts = _parts(name)
    for other in known:
        others = _parts(other)
        if len(parts) == len(others) and all(map(_alike, parts, others)):
            return other
    return None


def _parts(name: str) -> list[str]:
    """A name as words, numbers, ``^``, and Roman numbers at the ends of words."""
    words = re.findall(r"[^\W\d_]+|\d+|\^", unicodedata.normalize("NFKC", clean(name)).casefold())
    return [part for word in words for part in re.fullmatch(r"(.*?)([ivx]*)", word).groups() if part]  # type: ignore[union-attr]


def _alike(word: str, known: str) -> bool:
    if known.isdigit() or word.isdigit():
        return known.isdigit() and word.isdigit() and set(word) == set(known)
    if word == known:
        return True
    return min(len(word), len(known)) > 3 and _one_slip(word, known)


def _one_slip(word: str, known: str) -> bool:
    """Whether one letter was changed, left out or put in, or two that stand side by side were exchanged."""
    start = 0
    while start < min(len(word), len(known)) and word[start] == known[start]:
        start += 1
    rest, wanted = word[start:], known[start:]
    return (
        rest[1:] == wanted[1:]
        or rest[1:] == wanted
        or rest == wanted[1:]
        or (rest[1::-1] == wanted[:2] and rest[2:] == wanted[2:])
    )
