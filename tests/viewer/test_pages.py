"""The pages in a browser without a window, as a person uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from datasets_me.findings.report import to_html
from datasets_me.formats import decisions
from datasets_me.formats.decisions import Decision
from datasets_me.viewer.server import Server
from datasets_me.viewer.session import Session, Wish
from tests.viewer.conftest import HTML, World, entry, expect, opened, serious

BROKEN = "casme_015_0503"
"""The video whose second expression has its offset (26) before its apex (28)."""


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """A page of 1280 × 800 px that must not report any error."""
    faults: list[str] = []
    page = opened(browser, faults)
    yield page
    page.close()
    assert faults == []


def go(page: Any, server: Server, session: Session, name: str, frame: int | None = None) -> None:
    """Open the page of a video, and wait for its frame."""
    place = f"#/video/{entry(session, name).number}" + ("" if frame is None else f"?frame={frame}")
    page.goto(server.url + place)
    page.wait_for_selector("canvas[data-ready=yes]")


def shown(page: Any) -> int:
    return int(page.get_attribute("canvas[data-frame]", "data-frame"))


def saved(world: World) -> list[Decision]:
    return decisions.standing(decisions.read(world.decisions).rows) if world.decisions.is_dir() else []


def wait_saved(page: Any, text: str) -> None:
    """Wait for the message of a decision; ``text`` must fit no message of the same page that came before."""
    page.wait_for_selector(f"#toast:has-text('{text}')")


def test_the_list_of_videos(page: Any, server: Server) -> None:
    page.goto(server.url)
    names = page.locator("tbody .name")
    expect(names).to_have_count(16)
    expect(page.locator("#left")).to_have_text("5 doubts left in 5 videos")
    assert names.first.inner_text() == BROKEN
    page.wait_for_function("() => document.images[0]?.naturalWidth > 0")

    assert page.locator(".name", has_text=HTML).count() == 1  # a name is text, whatever it looks like
    assert page.locator(".name b").count() == 0

    page.keyboard.press("/")
    page.keyboard.type("016_05")
    expect(names).to_have_count(3)
    page.keyboard.press("Escape")
    page.fill("#filter-search", "")
    page.select_option("#filter-code", "ME103")
    expect(names).to_have_text(["casme_016_0502"])
    page.select_option("#filter-code", "")
    page.select_option("#filter-quality", "no features")
    expect(names).to_have_text([HTML])
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('<b>casme</b>')")
    assert page.title() == "casme-sq · me-datasets"


def test_playing_stepping_and_jumping(page: Any, server: Server, session: Session) -> None:
    go(page, server, session, "casme_015_0101", 5)
    assert shown(page) == 5
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert shown(page) == 16
    page.keyboard.press("ArrowLeft")
    assert shown(page) == 15
    page.keyboard.press("2")
    assert shown(page) == 11  # apex
    page.keyboard.press("]")
    assert shown(page) == 22  # onset of the second expression
    page.keyboard.press("3")
    assert shown(page) == 31
    page.keyboard.press("Home")
    page.keyboard.press("n")
    page.keyboard.press("n")
    assert shown(page) == 20  # the face is lost there
    assert "no face of its own" in page.inner_text(".over.doubt")
    page.click("button:has-text('onset')")  # does not keep the keys
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.wait_for_function("() => Number(document.querySelector('canvas[data-frame]').dataset.frame) > 8")
    page.keyboard.press("Space")
    stopped = shown(page)
    page.wait_for_timeout(150)
    assert shown(page) == stopped
    for key in "clrfg":
        page.keyboard.press(key)
    assert page.locator("[data-switch][aria-pressed=true]").count() == 4
    page.wait_for_selector("canvas[data-ready=yes]")
    assert "motion × 4" in page.inner_text(".over.number")
    page.keyboard.press("s")
    page.keyboard.press("s")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.faces img')].filter((i) => i.naturalWidth).length === 4"
    )
    caption = page.locator(".faces figcaption", has_text="optical flow")
    assert caption.inner_text().startswith("optical flow by windowed least squares (lk), as in the features")
    assert page.locator(".span.miss").count() == 1
    assert page.locator(".lane:has-text('predicted') .span").count() == 2
    frame = shown(page)
    page.wait_for_function(f"() => location.hash.endsWith('frame={frame}')")
    page.reload()
    page.wait_for_selector("canvas[data-ready=yes]")
    assert shown(page) == frame


def test_correcting_by_dragging_typing_and_keys(page: Any, server: Server, session: Session, world: World) -> None:
    go(page, server, session, BROKEN)
    page.wait_for_selector(".card.chosen:has-text('out of order')")
    handle = page.locator(f'[data-handle="{BROKEN}:2 offset"]')
    box, width = handle.bounding_box(), page.locator(".track").first.bounding_box()["width"]
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6 * width / 33, y, steps=5)
    assert shown(page) == 32  # the frame at the edge is shown while it moves
    page.mouse.up()
    wait_saved(page, "offset 26 → 32")
    assert [(each.column, each.old, each.new) for each in saved(world)] == [("offset", "27", "33")]
    page.wait_for_selector(".chip.good.settled:has-text('corrected')")

    page.keyboard.press("u")
    wait_saved(page, "taken back")
    assert saved(world) == []

    page.click("text=Correct…")
    page.keyboard.type("31")  # the offset has the focus, and its number is selected
    page.keyboard.press("Enter")
    wait_saved(page, "offset 26 → 31")
    assert [(each.column, each.new) for each in saved(world)] == [("offset", "32")]

    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("q")
    wait_saved(page, "onset 19 → 18")
    page.select_option(".card.chosen [data-column=emotion]", "surprise")
    wait_saved(page, "emotion positive → surprise")
    page.fill(".card.chosen [data-column=aus]", "4+L7")
    page.keyboard.press("Tab")
    wait_saved(page, "→ 4+L7")
    assert {each.column: each.new for each in saved(world)} == {
        "offset": "32",
        "onset": "19",
        "emotion": "surprise",
        "aus": "4+L7",
    }
    page.reload()
    page.wait_for_selector("canvas[data-ready=yes]")
    page.keyboard.press("s")
    assert page.input_value(f'[data-expression="{BROKEN}:2"] [data-column=offset]') == "31"


def test_a_wrong_correction_is_refused_or_named(browser: Any, server: Server, session: Session, world: World) -> None:
    page = opened(browser, [])  # the browser reports the refusal, too
    go(page, server, session, "casme_015_0101")
    page.click("#tab-expressions")
    offset = page.locator('[data-expression="casme_015_0101:1"] [data-column=offset]')
    offset.fill("38")
    offset.press("Enter")
    expect(page.locator("#failure")).to_have_text(
        "not saved: offset: frame 38 lies outside the video, whose frames are 0 to 37"
    )
    expect(offset).to_have_value("17")
    assert saved(world) == []

    offset.fill("9")
    offset.press("Enter")
    wait_saved(page, "offset 17 → 9; it causes ME107 (frames out of order)")
    expect(page.locator("#failure")).to_be_hidden()
    card = page.locator('[data-expression="casme_015_0101:1"] .chip.error')
    expect(card).to_have_text("ME107 frames out of order")
    page.click("#tab-findings")
    message = page.locator(".card .message", has_text="frames are out of order: onset 6, apex 12, offset 10")
    expect(message).to_contain_text("(caused by a correction)")
    page.keyboard.press("u")
    expect(message).to_have_count(0)
    page.close()


def test_deciding_by_keyboard_alone(page: Any, server: Server, world: World) -> None:
    page.goto(server.url)
    page.wait_for_selector("tbody tr")
    page.keyboard.press("Enter")
    page.wait_for_selector("canvas[data-ready=yes]")
    page.keyboard.press("m")
    page.keyboard.type("looks <i>right</i>")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    wait_saved(page, "ME107 accepted")
    assert [(each.action, each.code, each.note) for each in saved(world)] == [("accept", "ME107", "looks <i>right</i>")]
    page.keyboard.press("]")
    page.keyboard.press("x")
    wait_saved(page, "excluded")
    page.keyboard.press("Shift+N")
    expect(page.locator("h1")).not_to_have_text(BROKEN)
    page.wait_for_selector("canvas[data-ready=yes]")
    page.keyboard.press("Shift+X")
    wait_saved(page, f"{page.inner_text('h1')} excluded")
    assert [each.action for each in saved(world)] == ["accept", "exclude", "exclude"]
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]:has-text('accept the finding as it is')")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("tbody .chip:has-text('excluded')")).to_have_count(1)
    expect(page.locator("#left")).to_have_text("3 doubts left in 3 videos")


def test_a_folder_that_belongs_elsewhere(page: Any, server: Server, session: Session, world: World) -> None:
    found = next(each for each in session.dataset.findings if each.code == "ME202")
    go(page, server, session, str(found.video))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link to the content leads to no other page
    expect(page.locator("#content")).to_be_focused()
    page.click(f"text=Relocate to {found.expected}")
    wait_saved(page, f"relocated to {found.expected}; nothing is moved on the disk")
    (decision,) = saved(world)
    assert (decision.action, f"rawpic/{decision.found}", f"rawpic/{decision.belongs}") == (
        "relocate",
        found.path,
        found.expected,
    )
    page.keyboard.press("u")
    wait_saved(page, "taken back")
    assert saved(world) == []


def test_predictions_that_share_frames_lie_below_each_other(page: Any, server: Server, session: Session) -> None:
    go(page, server, session, "casme_016_0102")
    first, second, third = (each.bounding_box() for each in page.locator(".lane:has-text('predicted') .span").all())
    assert first["y"] + first["height"] <= second["y"]
    assert third["y"] == first["y"]


def test_two_browsers_see_each_other(browser: Any, page: Any, server: Server, session: Session) -> None:
    faults: list[str] = []
    other = opened(browser, faults)
    go(page, server, session, BROKEN)
    go(other, server, session, BROKEN)
    page.keyboard.press("a")
    other.wait_for_selector(".chip.good.settled:has-text('accepted')")
    other.keyboard.press("s")
    other.fill(f'[data-expression="{BROKEN}:2"] [data-column=offset]', "31")
    other.keyboard.press("Enter")
    page.wait_for_selector(f'[data-handle="{BROKEN}:2 offset"].edited')
    other.close()
    assert faults == []


def test_what_is_not_saved_is_not_shown_as_saved(browser: Any, server: Server, session: Session, world: World) -> None:
    page = opened(browser, [])
    go(page, server, session, BROKEN)
    page.route("**/decide", lambda route: route.fulfill(status=500, body="the disk is full"))
    page.keyboard.press("a")
    page.wait_for_selector("#failure:not([hidden])")
    assert page.inner_text("#failure") == "not saved: the disk is full"
    assert page.locator(".chip.settled:has-text('accepted')").count() == 0
    assert saved(world) == []
    page.close()


def test_a_failure_and_what_was_typed_stay_in_view(browser: Any, server: Server, session: Session) -> None:
    page, held = opened(browser, []), list[Any]()
    go(page, server, session, BROKEN)
    page.keyboard.press("m")
    page.keyboard.type("seen twice")
    page.keyboard.press("Escape")
    session.decide([Wish(action="note", video=entry(session, BROKEN).number, note="of somebody else")])
    expect(page.locator(".card .message", has_text="of somebody else")).to_be_visible()
    expect(page.locator(".card.chosen input.note")).to_have_value("seen twice")

    page.route("**/decide", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/decide"):
        page.keyboard.press("a")
    page.keyboard.press("Shift+X")  # waits until the decision before it is answered
    page.wait_for_function("() => true")
    held[0].fulfill(status=500, body="the disk is full")
    wait_saved(page, f"{BROKEN} excluded")
    expect(page.locator("#failure")).to_have_text("not saved: the disk is full")
    page.keyboard.press("u")
    expect(page.locator("#failure")).to_be_hidden()
    page.close()


def test_many_findings_at_once_are_counted_first(page: Any, server: Server, world: World) -> None:
    page.goto(server.url + "#/findings")
    page.wait_for_selector("tbody tr")
    page.select_option("#filter-code", "ME301")
    page.wait_for_selector("text=All 1 finding that fit")
    page.click("text=exclude their rows…")
    dialog = page.locator("dialog[open]:not(#keys)")
    expect(dialog).to_contain_text("1 finding in 1 whole video. It")
    page.keyboard.press("Tab")
    page.keyboard.press("a")  # a key of the page: nothing is decided behind the dialog
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.url.endswith("#/findings")
    assert saved(world) == []
    page.click("text=exclude their rows…")
    page.click("text=exclude 1")
    wait_saved(page, "saved: 1 decision")
    assert [(each.action, each.row) for each in saved(world)] == [("exclude", None)]
    expect(page.locator("tbody tr")).to_have_count(0)
    page.click("#toast button")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert saved(world) == []


def test_nothing_serious_for_those_who_need_help(browser: Any, server: Server, session: Session) -> None:
    session.decide([Wish(action="accept", finding=0)])
    page = opened(browser, [])
    for place in ("#/findings", "#/videos"):
        page.goto(server.url + place)
        page.wait_for_selector("tbody tr")
        assert serious(page) == [], place
    go(page, server, session, BROKEN)
    for tab in ("compare", "expressions", "findings"):
        page.click(f"#tab-{tab}")
        assert serious(page) == [], tab
    page.emulate_media(color_scheme="dark")
    assert serious(page) == [], "dark"
    page.set_viewport_size({"width": 375, "height": 800})
    page.goto("about:blank")
    page.set_content(to_html(session.dataset.findings, "all findings", {}))
    assert serious(page) == [], "report"
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.close()


def test_a_phone(browser: Any, server: Server, session: Session) -> None:
    faults: list[str] = []
    page = opened(browser, faults, viewport={"width": 800, "height": 844})
    for place in ("#/findings", "#/videos"):
        page.goto(server.url + place)
        page.wait_for_selector("tbody tr")
        assert page.evaluate("document.querySelector('#content').scrollWidth") == 800  # of a tablet
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click("text=filters")
    page.select_option("#filter-subject", "casme_015")
    expect(page.locator("tbody tr")).to_have_count(8)
    page.click(f"text={BROKEN}")
    page.wait_for_selector("canvas[data-ready=yes]")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    outside = page.evaluate(
        "() => [...document.querySelectorAll('button, input, select')]"
        ".filter((node) => node.offsetParent && node.getBoundingClientRect().right > 391).map((node) => node.outerHTML)"
    )
    assert outside == []
    page.click("text=Accept as it is")
    wait_saved(page, "accepted")
    page.close()
    assert faults == []


def test_the_page_is_not_alone_in_the_browser(browser: Any, server: Server, world: World) -> None:
    """A page of another origin can neither read nor decide."""
    page = browser.new_page()
    page.route("http://evil.example/", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"))
    page.goto("http://evil.example/")
    outcome = page.evaluate(
        """async (url) => {
          const tries = [fetch(url + 'state'), fetch(url + 'decide', {method: 'POST', mode: 'no-cors', body: '{}'})];
          return (await Promise.allSettled(tries)).map((each) => each.status + (each.value?.type ?? ''));
        }""",
        server.url,
    )
    assert outcome[0] == "rejected"
    assert re.match("rejected|fulfilledopaque", outcome[1])
    assert saved(world) == []
    page.close()
