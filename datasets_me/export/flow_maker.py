"""From an annotated expression to its flow image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datasets_me.core.files import checksum
from datasets_me.core.rates import ratio, shown
from datasets_me.core.tables import sha256_of
from datasets_me.export.beside import Beside
from datasets_me.export.expressions import Expression, Expressions, labels_of
from datasets_me.export.face_squares import Square
from datasets_me.export.faces import Face, Picture, aligner
from datasets_me.export.flow_options import FlowOptions
from datasets_me.export.labels import about
from datasets_me.export.magnified import eulerian_of
from datasets_me.export.sinks import ExportItem
from datasets_me.features.boxes import Box
from datasets_me.features.crop import padded_square
from datasets_me.features.faces import detector
from datasets_me.features.flow_images import Recipe, flow_fields, flow_image, grey_of
from datasets_me.features.landmarks import predict
from datasets_me.features.magnify import along_flow
from datasets_me.features.strain import strain
from datasets_me.formats.features import FeatureFolder
from datasets_me.formats.items import describe
from datasets_me.formats.kinds import JOINED
from datasets_me.formats.manifest import Manifest
from datasets_me.formats.records import Annotation


@dataclass(frozen=True)
class FlowSources:
    """What flow images are made from, and how: all that a process needs to make some of them.

    ``manifest`` has the annotations that are wanted; ``features`` is an extraction or None; ``apexes`` are estimated
    ones by the id of the annotation; ``beside`` has arrays of another tool, or is None.
    """

    manifest: Manifest
    root: Path
    options: FlowOptions
    features: FeatureFolder | None
    apexes: Mapping[str, int]
    beside: Beside | None

    def key(self) -> dict[str, object]:
        """All that the images depend on beside the frames."""
        features, beside = self.features, self.beside
        return {
            "options": asdict(self.options),
            "preset": self.options.of_preset.model_dump(mode="json"),
            "manifest": describe(self.manifest),
            "root": str(self.root.resolve()),
            "features": None if features is None else sha256_of(features.rows),
            "apexes": dict(self.apexes),
            "with": None if beside is None else [beside.names, checksum(beside.folder.folder / JOINED.about)],
        }

    def maker(self) -> FlowMaker:
        """A maker of these flow images.

        Raises:
            MeDatasetsError: there are no folders of frames, or ``align`` has no landmarks to go by.
        """
        expressions = Expressions(self.manifest, self.root, self.options, self.features)
        return FlowMaker(expressions, self)


class FlowMaker:
    """Makes the flow images of expressions."""

    def __init__(self, expressions: Expressions, sources: FlowSources) -> None:
        self.expressions, self.sources, self.options = expressions, sources, sources.options
        self.preset = sources.options.of_preset
        self._cropped = any(
            layout.cropped for layout in expressions.manifest.spec.layouts if layout.id == expressions.layout
        )

    @property
    def recipe(self) -> Recipe:
        """How two faces become an image."""
        return self.preset.recipe

    def item(self, expression: Expression) -> ExportItem | None:
        """The item of an expression; None, and a finding, where it cannot be made."""
        target, apex_from = self._target(expression)
        frames = self._frames(expression, target)
        if frames is None:
            return None
        (first, onset_frame), (second, later_frame) = frames
        square = self.square(expression.face, onset_frame, expression.row)
        move = aligner(expression.face, first, expression.fps) if self.options.align else None

        def face(frame: Picture, number: int) -> Picture:
            return square.picture(move(frame, number) if move and number != first else frame)

        def face_in(number: int) -> Picture | None:
            frame = expression.picture(number)
            return None if frame is None else face(frame, number)

        shown = face(onset_frame, first), face(later_frame, second)
        if self.options.band is not None:
            moved = eulerian_of(expression, face_in, self.options.magnify, self.options.band)
            shown = moved[first], moved[second]
        raw = expression.face.points(first, expression.fps)
        points = None if raw is None else square.points(raw, onset_frame.shape)
        try:
            arrays = self.arrays(*shown, points)
        except ValueError as error:
            self._say("ME516", f"no flow image: {error}", expression)
            return None
        row, beside = expression.row, self.sources.beside
        return {
            **arrays,
            "frames": np.array([first, second], np.int32),
            "scale": np.array(square.scales(onset_frame.shape), np.float32),
            "fps": float(expression.fps),
            "onset": expression.onset,
            "apex": -1 if expression.apex is None else expression.apex,
            "offset": expression.offset,
            "apex_from": apex_from,
            **labels_of(row),
            **({} if beside is None else beside.of_frames(expression.video, (first, second))),
        }

    def arrays(
        self, first: Picture, second: Picture, points: NDArray[np.float32] | None
    ) -> dict[str, NDArray[np.generic]]:
        """Flow, strain and image between two faces (S, S, 3) uint8 RGB.

        Raises:
            ValueError: the recipe needs landmarks, and there are none.
        """
        one, other = grey_of(first, self.recipe), grey_of(second, self.recipe)
        if points is None and self.recipe.needs_landmarks:
            points = landmarks_within(one)
        if self.options.magnify != 1 and self.options.band is None:
            second = along_flow(first, second, flow_fields(one, other, self.recipe), self.options.magnify)
            other = grey_of(second, self.recipe)
        u, v = flow_fields(one, other, self.recipe)
        return {
            "u": u,
            "v": v,
            "strain": np.asarray(strain(u, v), np.float32),
            "image": flow_image(u, v, self.recipe, points),
            "onset_frame": first,
            "to_frame": second,
            "landmarks": np.full((68, 2), np.nan, np.float32) if points is None else points,
        }

    def square(self, face: Face, frame: Picture, row: Annotation | None) -> Square:
        """Where the face lies in a frame: as the features say, else as the default detector does."""
        box = face.box
        if not box and not self._cropped:
            faces = detector().detect(np.ascontiguousarray(frame[:, :, ::-1]))
            if faces:
                # published scripts take the detector's box as it is, which ends at brows and chin
                pad = 0.0 if self.recipe.stretch else self.expressions.manifest.spec.crop.pad
                box = tuple(round(value) for value in padded_square(faces[0].box, pad))
            elif row is not None:
                message = "no face is found in the frame of the onset; the whole frame was taken"
                self.expressions.findings.append(about("ME513", message, row, "onset"))
        return Square(box, self.recipe.face, self.recipe.stretch)

    def faces(self, expression: Expression) -> Callable[[int], Picture | None]:
        """A function that gives the face in any frame of an expression."""
        square: list[Square] = []

        def face(number: int) -> Picture | None:
            picture = expression.picture(number)
            if picture is None:
                return None
            if not square:
                square.append(self.square(expression.face, picture, None))
            return square[0].picture(picture)

        return face

    def _target(self, expression: Expression) -> tuple[int, str]:
        """The later frame, and where an apex comes from."""
        apex, apex_from = expression.apex, expression.apex_from or "none"
        estimated = self.sources.apexes.get(expression.row.id)
        if estimated is not None and apex_from != "annotated":
            apex, apex_from = shown(estimated, ratio(expression.fps, expression.row.fps)), "estimated"
        middle = (expression.onset + expression.offset) // 2
        if self.options.to.isdecimal():
            target = expression.onset + int(self.options.to)
            if target > expression.offset:
                message = f"frame {target} lies after the offset; frame {expression.offset} was taken"
                self._say("ME512", message, expression)
            return min(target, expression.offset), apex_from
        places = {"apex": middle if apex is None else apex, "offset": expression.offset, "middle": middle}
        return places[self.options.to], apex_from

    def _frames(self, expression: Expression, target: int) -> tuple[tuple[int, Picture], tuple[int, Picture]] | None:
        """Two frames of an expression with their pictures: that of the onset, and the target."""
        first, second = expression.nearest(expression.onset), expression.nearest(target)
        reach = f"frames {expression.onset} to {expression.offset}"
        if first is None or second is None:
            self._say("ME511", f"none of the {reach} can be read", expression)
            return None
        if first[0] == second[0]:
            self._say("ME516", f"no flow image: {first[0]} is the only frame there is of onset and target", expression)
            return None
        lacking = [str(wanted) for wanted, taken in ((expression.onset, first), (target, second)) if wanted != taken[0]]
        if lacking:
            message = f"frame {' and '.join(lacking)} cannot be read; the nearest of the expression were taken"
            self._say("ME512", message, expression)
        return first, second

    def _say(self, code: str, message: str, expression: Expression) -> None:
        self.expressions.findings.append(about(code, message, expression.row, "onset", path=expression.video.path))


def landmarks_within(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Landmarks (68, 2) of a face that fills its picture (S, S), which is how SOFTNet and MEAN find them."""
    return predict(grey, Box(0, 0, grey.shape[1], grey.shape[0]), check=False).points
