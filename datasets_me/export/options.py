"""What the user may choose of an export of segments."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from datasets_me.core.choices import Compat, ItemFormat
from datasets_me.core.errors import MeDatasetsError

FORMATS: tuple[ItemFormat, ...] = ("npz", "webdataset", "parquet")

LONGEST = 1_000_000
"""Frames that a segment, and its context on each side, may have at most."""

OFFSETS = re.compile(r"mirror|apex|drop|fixed:\d{1,9}")


@dataclass(frozen=True)
class Options:
    """How segments are cut and labelled.

    Attributes:
        length: frames of a segment, without its context.
        context: frames of context on each side; half the receptive field of the published model (15 // 2 = 7).
        compat: ``auwgcn`` reads the annotations exactly as the published scripts do.
        offset_missing: how an offset that was not annotated is read: ``mirror`` (as far after the apex as the onset
            lies before it), ``apex``, ``fixed:N`` (N frames of the annotation after the apex), or ``drop``.
        fps: the frame rate to export at; None keeps that of the features.
        features_fps: the frame rate of arrays from elsewhere, where it is not the annotations'.
        format: how items are stored.
    """

    length: int = 256
    context: int = 7
    compat: Compat | None = None
    offset_missing: str = "mirror"
    fps: float | None = None
    features_fps: float | None = None
    format: ItemFormat = "npz"

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            MeDatasetsError: one of them does.
        """
        if not 1 <= self.length <= LONGEST:
            raise MeDatasetsError(f"a segment cannot have {self.length} frames", fix=f"give 1 to {LONGEST:,}")
        if not 0 <= self.context <= LONGEST:
            raise MeDatasetsError(f"the context cannot be {self.context} frames", fix=f"give 0 to {LONGEST:,}")
        if self.compat not in (None, "auwgcn"):
            raise MeDatasetsError(f"nothing is known of the form '{self.compat}'", fix="the one known is auwgcn")
        if not OFFSETS.fullmatch(self.offset_missing):
            raise MeDatasetsError(
                f"'{self.offset_missing}' says not how a missing offset is read",
                fix="give mirror, apex, drop, or fixed:N with a number of frames",
            )
        if self.compat and self.offset_missing != "mirror":
            raise MeDatasetsError(
                "the published reading of a missing offset is mirror, and no other",
                fix="leave out --offset-missing, or --compat",
            )
        for name, rate in (("--fps", self.fps), ("--features-fps", self.features_fps)):
            if rate is not None and not 0.01 <= rate < 100_000:
                raise MeDatasetsError(f"{name} {rate:g} is no frame rate", fix="give frames per second")
        if self.format not in FORMATS:
            raise MeDatasetsError(f"there is no format '{self.format}'", fix=f"choose one of {', '.join(FORMATS)}")

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)
