"""The page in a browser without a window: keys, filters, resuming, and names that look like markup."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions
from datasets_me.images.review.server import ReviewServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as run:
        # a browser that runs as root has no sandbox to be in
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        made = run.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield made
        made.close()


def test_by_keyboard(browser: Any, server: ReviewServer, images: ImageSet) -> None:
    from playwright.sync_api import expect

    page = browser.new_page(viewport={"width": 1000, "height": 700})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    cards, progress = page.locator("article"), page.locator("#progress")
    page.goto(server.url)
    expect(page.locator("article img")).to_have_count(4)
    assert page.evaluate("() => Promise.all([...document.images].map((image) => image.decode()))") is not None
    assert page.locator("article .id b").count() == 0  # a name is text, whatever it looks like
    expect(page.locator(".id", has_text="sad/<b>3.png")).to_have_count(1)

    page.keyboard.press("a")
    page.keyboard.press("x")
    page.keyboard.press("3")
    expect(progress).to_have_text(re.compile("^3 of 4 decided"))
    saved = {name: (row.decision, row.label) for name, row in decisions.read(images).items()}
    third = list(images.spec.labels)[2]
    assert saved == {
        "happy/1.png": ("accept", None),
        "odd/5.png": ("exclude", None),
        "sad/4.png": ("relabel", third),
    }
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("u")
    expect(progress).to_have_text(re.compile("^2 of 4 decided"))
    assert "sad/4.png" not in decisions.read(images)

    page.select_option("#code", "ME710")
    expect(cards).to_have_count(1)
    page.select_option("#state", "decided")
    expect(page.locator(".badge.accept")).to_have_count(1)

    page.reload()
    expect(progress).to_have_text(re.compile("^2 of 4 decided"))
    expect(cards).to_have_count(2)
    assert faults == []
    page.close()


def test_what_is_not_saved_is_said(browser: Any, server: ReviewServer, images: ImageSet) -> None:
    page = browser.new_page()
    page.goto(server.url)
    page.wait_for_selector("article")
    page.route("**/decide", lambda route: route.fulfill(status=500, body="the disk is full"))
    page.keyboard.press("a")
    page.wait_for_selector("#error:not([hidden])")
    assert page.inner_text("#error") == "not saved: the disk is full"
    assert page.locator(".badge").count() == 0
    assert decisions.read(images) == {}
    page.close()
