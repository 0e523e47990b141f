"""Frames and features from video files beside those from JPEG files: CPU time per frame, and error against the truth.

::

    python benchmarks/video.py

Times are of this process, on one thread, and alternate between folder and file, so that only their ratio is meant.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from datasets_me.core.frames import VideoFile
from datasets_me.features.mdmo import mdmo
from datasets_me.features.video import extract_video
from datasets_me.formats.frame_files import FrameFiles
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

FRAMES, SIZE, ROUNDS = 60, (640, 480), 5


def filmed(size: tuple[int, int], frames: int, seed: int = 1) -> FaceVideo:
    """A face in colour with one expression."""
    return FaceVideo(seed, seed, FaceVideoOptions(frames=frames, size=size, colour=True, jpeg=None))


def write(folder: Path, name: str, codec: str, pixels: str, pictures: list[np.ndarray], **options: str) -> Path:
    """Pictures in BGR as a video file."""
    path = folder / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options=options)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], pixels
        for picture in pictures:
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def motion_jpeg(folder: Path, files: list[bytes], size: tuple[int, int]) -> Path:
    """JPEG files as they are, in AVI."""
    path = folder / "mjpeg.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = *size, "yuvj420p"
        for number, content in enumerate(files):
            packet = av.Packet(content)
            packet.stream, packet.time_base, packet.is_keyframe = stream, Fraction(1, 30), True
            packet.pts = packet.dts = number
            container.mux(packet)
    return path


def seconds(files: FrameFiles, colour: bool) -> float:
    """CPU time to read all frames, per frame."""
    start = time.process_time()
    for number in files.names:
        files.read(number, colour=colour)
    return (time.process_time() - start) / len(files.names)


def times(folder: Path) -> None:
    """Print CPU time per frame."""
    pictures = list(filmed(SIZE, FRAMES).frames())
    contents = [cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes() for picture in pictures]
    names = {}
    for number, content in enumerate(contents):
        names[number] = f"img{number}.jpg"
        (folder / names[number]).write_bytes(content)
    paths = {
        "Motion JPEG in AVI": motion_jpeg(folder, contents, SIZE),
        "H.264 in MP4": write(folder, "h264.mp4", "libx264", "yuv420p", pictures, crf="18"),
        "MPEG-4 in AVI": write(folder, "mpeg4.avi", "mpeg4", "yuv420p", pictures, q="2"),
    }
    sources = {"JPEG files": FrameFiles(folder, names, 0, FRAMES)}
    for name, path in paths.items():
        sources[name] = FrameFiles(folder, dict.fromkeys(range(FRAMES), path.name), 0, FRAMES, in_file=True)
    for colour in (False, True):
        durations: dict[str, list[float]] = {name: [] for name in sources}
        for _ in range(ROUNDS):
            for name, files in sources.items():
                durations[name].append(seconds(files, colour))
        usual = statistics.median(durations["JPEG files"])
        print(f"CPU time per frame of {SIZE[0]} x {SIZE[1]} px, {'colour' if colour else 'grey, as features need it'}")
        for name, values in durations.items():
            typical = statistics.median(values)
            print(f"  {name:20} {typical * 1000:6.2f} ms   {typical / usual:5.2f} of JPEG files")


def feature_errors(folder: Path) -> None:
    """Print the error of features against the true motion of the regions, and the bits that each coding takes."""
    video = filmed((160, 200), 30, seed=4)
    pictures = list(video.frames())
    shown, bits = {"as filmed": pictures}, {"as filmed": 24.0}
    for quality in (95, 90, 80, 60):
        files = [cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1] for picture in pictures]
        name = f"JPEG files, quality {quality}"
        shown[name] = [cv2.imdecode(file, cv2.IMREAD_COLOR) for file in files]
        bits[name] = statistics.fmean(8 * file.size / pictures[0][..., 0].size for file in files)
    for crf, more in (*((crf, {}) for crf in (2, 5, 10, 18, 23, 28)), (18, {"g": "1"})):
        name = f"H.264, CRF {crf}{', key frames only' if more else ''}"
        path = write(folder, "small.mp4", "libx264", "yuv420p", pictures, crf=str(crf), **more)
        with VideoFile(path) as file:
            shown[name] = [file.read(number, colour=True)[0] for number in range(len(file))]
            bits[name] = file.facts.bits
    smooth = "H.264, CRF 18, smoothed by 1 px"
    shown[smooth] = [cv2.GaussianBlur(frame, (0, 0), 1) for frame in shown["H.264, CRF 18"]]
    bits[smooth] = bits["H.264, CRF 18"]
    true_flow = np.stack([video.flow(number) for number in range(len(pictures) - 1)])
    truth = mdmo(true_flow, video.landmarks[:-1]).feature
    errors = {}
    for name, frames in shown.items():
        difference = extract_video(frames, video.landmarks).feature - truth
        errors[name] = float(np.sqrt(np.nanmean(difference**2)))
    print("Error of the features against the true motion of the regions, px, root mean square, and bits per pixel")
    for name, error in errors.items():
        of_jpeg = error / errors["JPEG files, quality 95"]
        print(f"  {name:33} {bits[name]:5.2f}  {error:.4f}   {of_jpeg:5.2f} of JPEG files of quality 95")


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        times(Path(folder))
        feature_errors(Path(folder))


if __name__ == "__main__":
    main()
