"""What the pages about videos may ask over HTTP. Every answer is JSON, numbers or a picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from datasets_me.viewer import web
from datasets_me.viewer.frames import WIDTHS, Image, coded, difference, flow_picture
from datasets_me.viewer.session import Session, Text, Wish
from datasets_me.viewer.web import as_json, in_path, whole

_MOST_AT_ONCE = 1000
_MOST_FRAMES = 500
_FACTORS = (2, 4, 8, 16)


class _Batch(BaseModel):
    """The body of ``decide``."""

    decisions: list[Wish] = Field(min_length=1, max_length=_MOST_AT_ONCE)


class _Query(BaseModel):
    """Which findings are meant."""

    model_config = ConfigDict(extra="ignore")

    code: Text = ""
    search: Text = ""
    severity: Text = ""


class _All(BaseModel):
    """The body of ``decide-all``."""

    query: _Query
    action: Literal["accept", "exclude", "count"]
    note: Text | None = None
    expected: int = 0


class _Undone(BaseModel):
    """The body of ``undo``; as many decisions as were taken at once."""

    ids: list[Text] = Field(min_length=1)


def application(session: Session) -> Starlette:
    """The pages of a session, and what they ask for."""
    readings: dict[str, Callable[[Session, Request], Response]] = {
        "/state": lambda session, _: as_json(session.state()),
        "/revision": lambda session, _: as_json({"revision": session.revision}),
        "/videos": _videos,
        "/findings": _findings,
        "/videos/{number}": lambda session, request: as_json(session.video(in_path(request, "number"))),
        "/videos/{number}/strip": lambda session, request: _jpeg(session.strip(in_path(request, "number"), 72)),
        "/videos/{number}/frames/{frame}": _frame,
        "/videos/{number}/curves": _curves,
        "/videos/{number}/overlay": _overlay,
        "/videos/{number}/compare/{kind}": _compare,
    }
    savings: dict[str, Callable[[Session, dict[str, Any]], Any]] = {
        "/decide": lambda session, body: session.decide(web.read(_Batch, body).decisions),
        "/decide-all": _decide_all,
        "/undo": lambda session, body: session.undo(web.read(_Undone, body).ids),
    }
    return web.application(
        "index.html",
        [
            *(web.get(path, partial(answer, session)) for path, answer in readings.items()),
            *(web.post(path, partial(save, session), read_only=session.read_only) for path, save in savings.items()),
        ],
    )


def _decide_all(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    wish = web.read(_All, body)
    return session.decide_all(wish.query.model_dump(), wish.action, wish.note, wish.expected)


def _videos(session: Session, request: Request) -> Response:
    query = dict(request.query_params)
    if query.get("type") not in (None, "micro", "macro"):
        raise HTTPException(400, "type must be micro or macro")
    return as_json(session.videos(query, whole(request, "start", 0), whole(request, "count", 50)))


def _findings(session: Session, request: Request) -> Response:
    query = dict(request.query_params)
    return as_json(session.findings(query, whole(request, "start", 0), whole(request, "count", 50)))


def _frame(session: Session, request: Request) -> Response:
    entry, number = session.entry(in_path(request, "number")), in_path(request, "frame")
    width = whole(request, "width", WIDTHS[2])
    width = next((each for each in WIDTHS if each >= width), WIDTHS[-1])
    name = session.frames.files(entry).names.get(number, "")
    factor = whole(request, "factor", 1)
    if factor > 1:
        if factor not in _FACTORS:
            raise HTTPException(400, f"factor must be one of {', '.join(map(str, _FACTORS))}")
        content = session.frames.magnified(entry, (whole(request, "reference", number), number), width, factor)
    else:
        content = session.frames.jpeg(entry, number, width)
    return _jpeg(content, {"X-Frame-Name": quote(name)})


def _curves(session: Session, request: Request) -> Response:
    first, last = whole(request, "first", 0), whole(request, "last", 0)
    about, values = session.motion(in_path(request, "number")).curves(first, last, whole(request, "bins", 1000))
    headers = {f"X-{name.capitalize()}": str(value) for name, value in about.items()}
    return Response(values.astype("<f4").tobytes(), media_type="application/octet-stream", headers=headers)


def _overlay(session: Session, request: Request) -> Response:
    first, last = whole(request, "first", 0), whole(request, "last", 0)
    if last - first >= _MOST_FRAMES:
        raise HTTPException(400, f"ask for {_MOST_FRAMES} frames at most")
    return as_json(session.motion(in_path(request, "number")).overlay(first, last))


def _compare(session: Session, request: Request) -> Response:
    entry = session.entry(in_path(request, "number"))
    pair = (whole(request, "a", 0), whole(request, "b", 0))
    kinds: dict[str, Callable[[Image, Image], bytes]] = {
        "first": lambda first, _: coded(first),
        "second": lambda _, second: coded(second),
        "difference": difference,
        "flow": partial(flow_picture, method=session.flow_method),
    }
    if request.path_params["kind"] not in kinds:
        raise HTTPException(404, "nothing is here")
    box = tuple(entry.features.box) if entry.features and "crop" in request.query_params else ()
    first, second = session.frames.pair(entry, pair, box if len(box) == 4 else None)
    return _jpeg(kinds[request.path_params["kind"]](first, second))


def _jpeg(content: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(content, media_type="image/jpeg", headers=headers)
