"""Which image of a set a prediction is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Names:
    """Finds images by what somebody called them: the id, or a path of which the end is enough.

    ``work/train/happy/17.jpg`` (with slashes of either kind), ``happy/17.jpg`` and ``17.jpg`` all mean
    ``train/happy/17.jpg``, if no other image ends so. The longest end that any image has decides.
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = list(ids)
        self._exact = {name: position for position, name in enumerate(self._ids)}
        self._last: dict[str, list[int]] = defaultdict(list)
        for position, name in enumerate(self._ids):
            self._last[_parts(name)[-1]].append(position)

    def find(self, name: str) -> list[int]:
        """Positions of the images that the name may mean; one, if all is well."""
        if name in self._exact:
            return [self._exact[name]]
        parts = _parts(name)
        fits = self._last.get(parts[-1], [])
        if len(fits) < 2:
            return fits
        shared = [_shared(parts, _parts(self._ids[position])) for position in fits]
        return [position for position, count in zip(fits, shared, strict=True) if count == max(shared)]


def _parts(name: str) -> list[str]:
    return [part.casefold() for part in name.replace("\\", "/").split("/") if part not in ("", ".")] or [""]


def _shared(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
