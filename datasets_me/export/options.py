"""The options of an export of segments, and what the options of all exports share."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, get_args

from datasets_me.core.choices import Compat, ItemFormat
from datasets_me.core.errors import MeDatasetsError
from datasets_me.formats.missing_offset import check_rule

FORMATS: tuple[ItemFormat, ...] = get_args(ItemFormat)

LONGEST = 1_000_000
"""The most frames that a segment may have, and its context on each side."""


def check_format(name: str) -> None:
    """Refuse a name that is none of ``FORMATS``.

    Raises:
        MeDatasetsError: it is not.
    """
    if name not in FORMATS:
        raise MeDatasetsError(f"there is no format '{name}'", fix=f"choose one of {', '.join(FORMATS)}")


@dataclass(frozen=True)
class SegmentOptions:
    """How segments are cut and labelled.

    Attributes:
        length: frames of a segment, without its context.
        context: frames of context on each side; half the receptive field of the published model (15 // 2 = 7).
        compat: ``auwgcn`` reads the annotations exactly as the published scripts do.
        offset_missing: how an offset that was not annotated is read, see `formats.missing_offset`.
        fps: the frame rate to export at; None keeps that of the features.
        features_fps: the frame rate of arrays from elsewhere, where it is not the annotations'.
        format: how items are stored.
        labels: write labels, and a part to train on; without, there is only the part to test.
    """

    length: int = 256
    context: int = 7
    compat: Compat | None = None
    offset_missing: str = "mirror"
    fps: float | None = None
    features_fps: float | None = None
    format: ItemFormat = "npz"
    labels: bool = True

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            MeDatasetsError: one of them is out of range, or two contradict each other.
        """
        if self.compat and not self.labels:
            raise MeDatasetsError("--compat says how to label, and --no-labels not to", fix="leave out one of the two")
        if not 1 <= self.length <= LONGEST:
            raise MeDatasetsError(f"a segment cannot have {self.length} frames", fix=f"give 1 to {LONGEST:,}")
        if not 0 <= self.context <= LONGEST:
            raise MeDatasetsError(f"the context cannot be {self.context} frames", fix=f"give 0 to {LONGEST:,}")
        if self.compat not in (None, "auwgcn"):
            raise MeDatasetsError(f"there is no published form '{self.compat}'", fix="the only one is auwgcn")
        check_rule(self.offset_missing)
        if self.compat and self.offset_missing != "mirror":
            raise MeDatasetsError(
                "with --compat, a missing offset is always read by the published rule, mirror",
                fix="leave out --offset-missing, or --compat",
            )
        for name, rate in (("--fps", self.fps), ("--features-fps", self.features_fps)):
            if rate is not None and not 0.01 <= rate < 100_000:
                raise MeDatasetsError(f"{name} {rate:g} is not a frame rate", fix="give frames per second")
        check_format(self.format)

    def as_dict(self) -> dict[str, Any]:
        """The options as they are recorded in the export."""
        return asdict(self)
