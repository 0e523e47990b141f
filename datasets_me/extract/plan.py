"""What an extraction will work on, known before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datasets_me.core.engine import Shard
from datasets_me.core.errors import MeDatasetsError
from datasets_me.extract.extract import one_of_each, size_of, wanted
from datasets_me.extract.options import ExtractOptions, automatic_step, rate_of
from datasets_me.formats.frame_files import choose_layout, frame_rate
from datasets_me.formats.manifest import Manifest

_LARGEST_STEP = 1_000_000


@dataclass(frozen=True)
class Work:
    """Videos, and about how many frames they have at the rate that is taken."""

    videos: int
    frames: int


def planned(
    manifest: Manifest, options: ExtractOptions, patterns: Sequence[str] = (), shard: Shard | None = None
) -> Work:
    """How much an extraction has to do, apart from what is done already."""
    layout = choose_layout(manifest, options.layout)
    everything, _ = one_of_each([video for video in manifest.videos if video.layout == layout])
    jobs = [job for job in everything if wanted(job.video, patterns)]
    if shard is not None:
        jobs = shard.of(jobs, size_of)
    frames = sum(size_of(job) * rate_of(manifest, job.video, options) / frame_rate(manifest, job.video) for job in jobs)
    return Work(len(jobs), round(frames))


def read_step(text: str, manifest: Manifest, fps: float | None) -> int:
    """The step that ``--step`` names: a number of frames, or ``auto``.

    Raises:
        MeDatasetsError: it is neither, or there is no automatic one.
    """
    if fps is not None and not fps > 0:
        raise MeDatasetsError(f"--fps must be above 0, not {fps:g}")
    if text == "auto":
        return automatic_step(manifest, fps)
    if text.isdecimal() and 1 <= int(text) <= _LARGEST_STEP:
        return int(text)
    raise MeDatasetsError(f"--step must be a whole number from 1 to {_LARGEST_STEP:,}, or auto, not '{text}'")
