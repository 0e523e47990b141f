"""How soon `me-datasets view` shows a dataset of 10,000 videos and a video of 12,000 frames, and what it needs.

    python benchmarks/viewer.py [--videos 10000] [--frames 12000]

The dataset has the form of CASME II; its frames are links to 24 files of 640 x 480, played forth and back, and the long
video has features. Chromium asks without a window. The server is a process of its own; its memory is the largest
resident set, that of the page the heap of its scripts. The first two figures count from the start of the command.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from itertools import chain, cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openpyxl
from measure import PROGRAM
from playwright.sync_api import sync_playwright

from datasets_me.formats import features as feature_files
from datasets_me.formats.records import VideoFeatures
from datasets_me.synthetic.face_video import FaceVideo, FaceVideoOptions

FILES = 24
SIZE = (640, 480)
SHORT = 4  # frames of the other videos
STEPS = 200
HEADER = [
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
]
LONG = "EP99_99"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--videos", type=int, default=10_000)
    parser.add_argument("--frames", type=int, default=12_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        make(base, chosen.videos, chosen.frames)
        command = [*PROGRAM, "view", "manifest", "--root", "frames", "--features", "features", "--no-open"]
        with sync_playwright() as run:
            browser = opened(run)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto("about:blank")  # what only the first page of a browser waits for
            quiet = subprocess.DEVNULL
            began = time.perf_counter()
            with subprocess.Popen(command, cwd=base, stdout=quiet, stderr=subprocess.PIPE, text=True) as server:
                assert server.stderr is not None
                url = next(line for line in server.stderr if line.startswith("http")).strip()
                try:
                    page.goto(url)
                    rows = [("page open after", f"{time.perf_counter() - began:.1f} s, {processor_time(server.pid)}")]
                    page.wait_for_selector("tbody tr")
                    shown = f"{time.perf_counter() - began:.1f} s, {processor_time(server.pid)}"
                    rows.append(("all videos listed after", shown))
                    rows += look(page, server.pid, chosen.frames)
                finally:
                    server.terminate()
            browser.close()
    print(f"{chosen.videos:,} videos; one of {chosen.frames:,} frames\n")
    print("| what | figure |\n| --- | ---: |")
    print("\n".join(f"| {what} | {figure} |" for what, figure in rows))


def make(base: Path, videos: int, frames: int) -> None:
    """Write frames, a workbook, a manifest and the features of the long video."""
    pictures = base / "pictures"
    pictures.mkdir()
    film = FaceVideoOptions(frames=FILES, size=SIZE, face_width=200, jpeg=None, colour=True)
    for index, frame in enumerate(FaceVideo(1, 2, film).frames()):
        cv2.imwrite(str(pictures / f"{index}.jpg"), frame)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    sheet.append(HEADER)
    for number in range(videos - 1):
        subject, clip = f"{number // 100 + 1:02}", f"EP{number % 100:02}_01"
        sheet.append([subject, clip, None, 1, 1 if number % 50 == 0 else 2, 3, None, "4+7", "disgust"])
        link(pictures, base / f"frames/sub{subject}/{clip}", SHORT)
    sheet.append(["01", LONG, None, 2000, 2040, 2100, None, "4", "surprise"])
    book.save(base / "CASME2-coding-20140508.xlsx")
    link(pictures, base / "frames/sub01" / LONG, frames)
    command = [*PROGRAM, "convert", "casme2", "CASME2-coding-20140508.xlsx", "--root", "frames", "-o", "manifest"]
    subprocess.run(command, cwd=base, check=False, stdout=subprocess.DEVNULL)
    write_features(base, frames)


def link(pictures: Path, folder: Path, frames: int) -> None:
    """Fill a folder with frames."""
    folder.mkdir(parents=True)
    forth_and_back = chain(range(FILES), range(FILES - 2, 0, -1))
    for number, index in enumerate(islice(cycle(forth_and_back), frames), start=1):
        os.link(pictures / f"{index}.jpg", folder / f"img{number}.jpg")


def write_features(base: Path, frames: int) -> None:
    """Write features of the long video."""
    from datasets_me.formats import manifest as manifests

    video = next(each for each in manifests.read(base / "manifest").videos if str(each.path).endswith(LONG))
    rng = np.random.default_rng(1)
    (base / "features/arrays").mkdir(parents=True)
    np.save(base / "features/arrays/long.npy", rng.normal(0, 0.2, (frames - 1, 12, 2)).astype(np.float32))
    landmarks = np.broadcast_to(rng.uniform(100, 400, (68, 2)).astype(np.float32), (frames, 68, 2))
    np.savez(base / "features/arrays/long.npz", landmarks=landmarks, quality=np.zeros(frames, np.uint8))
    row = VideoFeatures(
        dataset=video.dataset,
        subject=str(video.subject),
        video=video.video,
        expression=video.expression,
        layout=video.layout,
        path=video.path,
        name="long",
        status="ok",
        features="arrays/long.npy",
        landmarks="arrays/long.npz",
        frames=frames,
        fps=video.fps,
        good=frames,
        width=SIZE[0],
        height=SIZE[1],
        box=[150, 60, 490, 400],
    )
    feature_files.write_tables(base / "features", [row], [], [])


def opened(run: Any) -> Any:
    """Chromium without a window."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return run.chromium.launch(executable_path=chromium, args=arguments)


def look(page: Any, server: int, frames: int) -> list[tuple[str, str]]:
    """Use the pages and measure, from the list of videos on."""
    rows = [
        (
            "first thumbnail after that",
            seconds(lambda: page.wait_for_function("() => document.images[0]?.naturalWidth")),
        ),
        ("search among all videos", seconds(lambda: search(page))),
    ]
    checked = "() => !document.querySelector('#left').textContent.includes('being checked')"
    page.wait_for_function(checked, timeout=300_000)
    href = page.get_attribute("a.name", "href")
    rows.append(("first frame of the long video", seconds(lambda: first_frame(page, href))))
    page.wait_for_timeout(500)
    for name, count in (("forward", STEPS), ("to places far apart", STEPS // 4)):
        places = [step + 1 if name == "forward" else (step * 7919) % frames for step in range(count)]
        rows.append((f"steps a second, {name}", f"{1000 * count / page.evaluate(STEPS_THROUGH, places):.0f}"))
    rows += [("frames shown a second, playing at 200", played(page))]
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in client.send("Performance.getMetrics")["metrics"]}
    rows.append(("heap of the page", f"{metrics['JSHeapUsedSize'] / 2**20:.0f} MB"))
    rows.append(("memory of the server", f"{peak(server):.0f} MB"))
    return rows


STEPS_THROUGH = """async (places) => {
  const field = document.querySelector("input.at");
  const canvas = document.querySelector("canvas[data-frame]");
  const began = performance.now();
  for (const at of places) {
    field.value = at;
    field.dispatchEvent(new Event("change"));
    while (canvas.dataset.frame !== String(at) || canvas.dataset.ready !== "yes") {
      await new Promise((done) => setTimeout(done, 1));
    }
  }
  return performance.now() - began;
}"""
"""Milliseconds to show frames one after the other, each as soon as the one before is there."""

STEP = """(at) => {
  const field = document.querySelector("input.at");
  field.value = at;
  field.dispatchEvent(new Event("change"));
}"""


def search(page: Any) -> None:
    """Find the long video by its name."""
    page.fill("#filter-search", LONG)
    page.wait_for_function("() => document.querySelectorAll('tbody tr').length === 1")


def first_frame(page: Any, href: str) -> None:
    """Open a video."""
    page.click(f"a[href='{href}']")
    page.wait_for_selector("canvas[data-ready=yes]")


def played(page: Any) -> str:
    """How many pictures the page draws in two seconds of playing, by second."""
    count = """async () => {
      const canvas = document.querySelector("canvas[data-frame]");
      let drawn = 0;
      let last = canvas.dataset.frame;
      const until = performance.now() + 2000;
      while (performance.now() < until) {
        await new Promise(requestAnimationFrame);
        if (canvas.dataset.frame !== last) drawn += 1;
        last = canvas.dataset.frame;
      }
      return drawn / 2;
    }"""
    page.evaluate(STEP, 3000)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Space")
    drawn = page.evaluate(count)
    page.keyboard.press("Space")
    return f"{drawn:.0f}"


def seconds(run: Callable[[], object]) -> str:
    """How long a call takes."""
    began = time.perf_counter()
    run()
    return f"{time.perf_counter() - began:.2f} s"


def processor_time(process: int) -> str:
    """What a process has computed so far; unlike the clock, it does not depend on what else the machine does."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return f"{ticks / os.sysconf('SC_CLK_TCK'):.1f} s of processor time"


def peak(process: int) -> float:
    """The largest resident set of a process in MB."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(match[1]) / 1024 if match else float("nan")


if __name__ == "__main__":
    main()
