"""The pages about still images: what they may ask, and how a person uses them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datasets_me.formats.image_set import ImageSet
from datasets_me.images import decisions
from datasets_me.images.review.session import Review
from datasets_me.viewer.images import application
from datasets_me.viewer.server import Server
from tests.images.made import image_set
from tests.images.review.conftest import NAMES, found_in
from tests.viewer.conftest import ask, expect, opened, serious

ACCEPT = {"numbers": [0], "decision": "accept"}


@pytest.fixture
def images(tmp_path: Path) -> ImageSet:
    return found_in(image_set(tmp_path, NAMES))


@pytest.fixture
def server(images: ImageSet) -> Iterator[Server]:
    with Server(application(Review(images, images.folder.parent / "raw"))).running() as server:
        yield server


def test_what_may_be_asked(server: Server, images: ImageSet) -> None:
    status, body, headers = ask(server, "")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"images.js" in body
    assert json.loads(ask(server, "overview")[1])["images"] == 4
    assert json.loads(ask(server, "items?code=ME710&state=all")[1])["total"] == 2
    status, body, headers = ask(server, "image/0")
    assert (status, body[:4], headers["Content-Type"]) == (200, b"\x89PNG", "image/png")
    status, body, _ = ask(server, "decide", method="POST", body={**ACCEPT, "decision": "relabel", "label": "fear"})
    assert json.loads(body)["items"][0]["new_label"] == "fear"
    assert decisions.read(images)["happy/1.png"].label == "fear"


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("image/-1", None, 400, "a whole number is wanted"),
        ("image/1", None, 422, "there is no image 1"),
        ("items?state=x", None, 400, "state must be open, decided or all"),
        ("items?after=1", None, 422, "there is no image 1"),
        ("session.py", None, 404, "nothing is here"),
        ("decide", {"numbers": ["0"], "decision": "accept"}, 400, "numbers.0: Input should be a valid integer"),
        ("decide", {"numbers": [True], "decision": "accept"}, 400, "numbers.0: Input should be a valid integer"),
        ("decide", {"numbers": [0], "decision": "delete"}, 400, "decision: Input should be"),
        ("decide", {"numbers": [0], "decision": "relabel", "label": "x"}, 422, "'x' is no label of the set"),
        ("decide", {"numbers": [1], "decision": "accept"}, 422, "there is no image 1"),
        ("decide-all", {"code": "ME710", "decision": "accept", "expected": 7}, 422, "there are 2 images to decide"),
        ("decide-all", {"code": "", "decision": "accept"}, 400, "code: String should have at least 1 character"),
    ],
)
def test_what_is_refused(server: Server, images: ImageSet, path: str, body: Any, status: int, text: str) -> None:
    answer = ask(server, path) if body is None else ask(server, path, method="POST", body=body)
    assert answer[0] == status
    assert answer[1].decode().startswith(text)
    assert decisions.read(images) == {}


def test_other_pages_change_nothing(server: Server, images: ImageSet) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Origin": ""}, {"Host": "evil.example"}):
        assert ask(server, "decide", method="POST", body=ACCEPT, **headers)[0] == 403
    assert decisions.read(images) == {}


def test_by_keyboard_and_all_at_once(browser: Any, server: Server, images: ImageSet) -> None:
    faults: list[str] = []
    page = opened(browser, faults, viewport={"width": 1000, "height": 700})
    cards, progress = page.locator("article"), page.locator("#progress")
    page.goto(server.url)
    expect(page.locator("article img")).to_have_count(4)
    assert page.evaluate("() => Promise.all([...document.images].map((image) => image.decode()))") is not None
    assert page.locator("article .id b").count() == 0  # a name is text, whatever it looks like
    expect(page.locator(".id", has_text="sad/<b>3.png")).to_have_count(1)

    assert serious(page) == []
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
    page.keyboard.press("d")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("1 image; left alone: 1, decided already")
    dialog.locator("select").select_option("exclude")
    expect(dialog.locator("button.main")).to_be_enabled()
    dialog.locator("button.main").click()
    expect(progress).to_have_text(re.compile("^3 of 4 decided"))
    assert decisions.read(images)["sad/<b>3.png"].decision == "exclude"
    page.click("#toast button")
    expect(progress).to_have_text(re.compile("^2 of 4 decided"))

    page.select_option("#state", "decided")
    expect(page.locator(".badge.good")).to_have_count(1)
    page.reload()
    expect(progress).to_have_text(re.compile("^2 of 4 decided"))
    expect(cards).to_have_count(2)
    page.route("**/decide", lambda route: route.fulfill(status=500, body="the disk is full"))
    cards.first.click()  # keys are lost until a page that was loaded again is painted
    page.keyboard.press("a")
    expect(page.locator("#failure")).to_have_text("not saved: the disk is full")
    page.close()
    assert [fault for fault in faults if "500" not in fault] == []
    assert len(decisions.read(images)) == 2
