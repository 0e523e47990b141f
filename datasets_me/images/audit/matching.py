"""Which image of a set a prediction is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable


class Names:
    """Finds images by what somebody called them: the id, a path that ends with it, or the end of it.

    ``/data/train/happy/17.jpg`` (with slashes of either kind), ``happy/17.jpg`` and ``17.jpg`` mean
    ``train/happy/17.jpg``, if no other image can be meant. ``sad/17.jpg`` does not, though the file is called the same.
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
        fits: dict[int, int] = {}
        for position in self._last.get(parts[-1], []):
            own = _parts(self._ids[position])
            shared = _shared(parts, own)
            if shared == min(len(parts), len(own)):
                fits[position] = shared
        return [position for position, shared in fits.items() if shared == max(fits.values())]


def _parts(name: str) -> list[str]:
    return [part.casefold() for part in name.replace("\\", "/").split("/") if part not in ("", ".")] or [""]


def _shared(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
