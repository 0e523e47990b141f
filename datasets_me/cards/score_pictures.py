"""The pictures that belong to scores, by the names of their files. Each is drawn when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from datasets_me.cards import confusion_plot, spotting_plot
from datasets_me.scores.ensemble import Ensemble
from datasets_me.scores.recognition import Recognition
from datasets_me.scores.spot_then_recognise import SpotThenRecognise
from datasets_me.scores.spotting import Spotting

Pictures = Mapping[str, Callable[[], bytes]]
"""Name of a PNG -> what draws it."""


def of_recognition(scores: Recognition) -> Pictures:
    """The confusion matrix of all datasets together."""
    title = f"{scores.label}, {', '.join(scores.groups)}"
    return {"confusion.png": partial(confusion_plot.png, scores.pooled, title)}


def of_models(scores: Mapping[str, Recognition]) -> Pictures:
    """The confusion matrix of each model."""
    return {
        f"confusion_{number}.png": partial(confusion_plot.png, of_model.pooled, name)
        for number, (name, of_model) in enumerate(scores.items(), start=1)
    }


def of_spotting(scores: Spotting) -> Pictures:
    """Hits and misses of each video."""
    return {"spotting.png": partial(spotting_plot.png, scores)}


def of_spot_then_recognise(scores: SpotThenRecognise) -> Pictures:
    """Hits and misses of each video, and the confusion matrix of the hits."""
    matrix = partial(confusion_plot.png, scores.recognised, f"{scores.label} of hits")
    return {**of_spotting(scores.spotting), **({"confusion_hits.png": matrix} if scores.recognised.total else {})}


def of_ensemble(scores: Ensemble) -> Pictures:
    """The confusion matrix of the best weights on the test part."""
    return {"confusion_test.png": partial(confusion_plot.png, scores.best.test, "the best weights, on test")}
