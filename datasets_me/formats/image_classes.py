"""What the words of a recogniser mean in a set of images."""

from __future__ import annotations

from collections.abc import Mapping

from datasets_me.core.errors import MeDatasetsError
from datasets_me.findings.finding import Finding, finding
from datasets_me.schema.images import ImageSpec, form
from datasets_me.schema.predictions import PredictionSpec


class Classes:
    """Their classes in the set's words: by the maps the user gave, then by the set's spellings, then by the form's.

    A class that the set lacks keeps its own name. A map to nothing drops a class: its score is left out, and a label
    of it counts as not recognised. A word that the set and the form read differently is the set's, and a doubt.
    """

    def __init__(self, images: ImageSpec, predictions: PredictionSpec, maps: Mapping[str, str] | None = None) -> None:
        self._images, self._form = images, predictions
        self._maps = {form(name): target for name, target in (maps or {}).items()}
        self._known: dict[str, str | None] = {}  # the same few words stand in every entry
        self._nothing: dict[str, bool] = {}
        self._doubts: dict[str, str] = {}
        for name, target in self._maps.items():
            if target and images.label_of(target) is None:
                known = ", ".join(images.labels)
                raise MeDatasetsError(
                    f"'{target}', to which {name} is mapped, is no label of the set", fix=f"it has: {known}"
                )

    def known(self, text: str) -> bool:
        """Whether a text names a class."""
        return form(text) in self._maps or (self._form.label_of(text) or self._images.label_of(text)) is not None

    def nothing(self, text: str) -> bool:
        """Whether a text says that nothing was recognised."""
        if text not in self._nothing:
            own = self._images.label_of(text)
            empty = form(text) not in self._maps and self._form.says_nothing(text)
            if empty and own is not None:
                self._doubts[text] = "says that nothing was recognised"
            self._nothing[text] = empty and own is None
        return self._nothing[text]

    def of(self, text: str) -> str | None:
        """The set's label, their own word where the set has none, or None for a class that is dropped."""
        if text not in self._known:
            self._known[text] = self._look_up(text)
        return self._known[text]

    def _look_up(self, text: str) -> str | None:
        own, theirs = self._images.label_of(text), self._form.label_of(text)
        if form(text) in self._maps:
            return self._images.label_of(self._maps[form(text)])
        if own is not None and theirs is not None and self._images.label_of(theirs) != own:
            self._doubts[text] = f"means {theirs}"
            return own
        if theirs is not None and form(theirs) in self._maps:
            return self._images.label_of(self._maps[form(theirs)])
        if own is None and theirs is not None:
            return self._images.label_of(theirs) or theirs
        return own or text

    def merged(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Scores by the set's labels, those of one label summed, as shares of the whole; none if all are 0."""
        merged: dict[str, float] = {}
        for name, score in scores.items():
            label = self.of(name)
            if label is not None:
                merged[label] = merged.get(label, 0.0) + score
        total = sum(merged.values())
        return {name: score / total for name, score in merged.items()} if total > 0 else {}

    def findings(self) -> list[Finding]:
        """ME738 for every word so far that the set and the form read differently."""
        return [
            finding(
                "ME738",
                f"'{text}' is the set's label {self._images.label_of(text)}, and taken as that;"
                f" by the form {self._form.id} it {meaning}",
                found=text,
            )
            for text, meaning in sorted(self._doubts.items())
        ]
