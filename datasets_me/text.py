"""Text of cells, labels and names brought to one form, and suggestions for close misses."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


def clean(text: str) -> str:
    """Full-width characters made ordinary (NFKC), invisible ones removed, white space folded."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_INVISIBLE).split())


def fold(text: str) -> str:
    """A form for comparing labels: cleaned, lower case, without spaces, ``_``, ``-`` or ``.``."""
    return re.sub(r"[\s_.\-]+", "", clean(text)).casefold()


def plain_number(text: str) -> str:
    """Digits without leading zeros (``"007"`` is ``"7"``); any other text unchanged."""
    return str(int(text)) if re.fullmatch(r"[0-9]+", text) else text


def same(first: str, second: str) -> bool:
    """Whether two cell texts name the same thing: ``"01"`` and ``"1"``, ``"EP02 "`` and ``"ep02"``."""
    return plain_number(fold(first)) == plain_number(fold(second))


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word nearest to ``word``, or None where nothing is near."""
    by_fold = {fold(name): name for name in known}
    found = difflib.get_close_matches(fold(word), by_fold, n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None
