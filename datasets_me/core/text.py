"""Text of cells, labels and names brought to one form, and suggestions for close misses."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
# Full-width forms only: a footnote mark such as the superscript in "46¹" must not become a digit.
_FULL_WIDTH = {code: unicodedata.normalize("NFKC", chr(code)) for code in (0x3000, *range(0xFF01, 0xFF5F))}
_CLEANED = {**_FULL_WIDTH, **_INVISIBLE}


def clean(text: str) -> str:
    """Full-width characters made ordinary, invisible ones removed, white space folded."""
    return " ".join((text if text.isascii() else text.translate(_CLEANED)).split())


def fold(text: str) -> str:
    """A form for comparing labels: cleaned, compatible forms made one, lower case, without spaces, ``_-.``."""
    return re.sub(r"[\s_.\-]+", "", unicodedata.normalize("NFKC", clean(text))).casefold()


def printable(text: str) -> str:
    """A file name as text: bytes that are not UTF-8, which the system hands over as they are, are spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()


def plain_number(text: str) -> str:
    """Digits without leading zeros (``"007"`` is ``"7"``); any other text unchanged."""
    return text.lstrip("0") or "0" if re.fullmatch(r"[0-9]+", text) else text


def same(first: str, second: str) -> bool:
    """Whether two cell texts name the same thing: ``"01"`` and ``"1"``, ``"EP02 "`` and ``"ep02"``."""
    return plain_number(fold(first)) == plain_number(fold(second))


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word nearest to ``word``, or None where nothing is near."""
    by_fold = {fold(name): name for name in known}
    found = difflib.get_close_matches(fold(word), by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None
