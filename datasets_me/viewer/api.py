"""What the pages may ask over HTTP. Every answer is a file of the page, JSON, numbers or a picture."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from datasets_me.core import resources
from datasets_me.core.errors import MeDatasetsError
from datasets_me.viewer.frames import WIDTHS, FrameError, coded, difference, flow_picture
from datasets_me.viewer.session import RequestError, Session, Text, Wish

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_MOST_BYTES = 1 << 20  # of a request's body
_MOST_AT_ONCE = 1000
_MOST_FRAMES = 500
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
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
    """The body of ``undo``."""

    ids: list[Text] = Field(min_length=1, max_length=_MOST_AT_ONCE)


Endpoint = Callable[[Session, Request], Response]


def application(session: Session) -> ASGIApp:
    """The pages of a session, and what they ask for."""
    folder = resources.package_file("viewer/page")
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix[1:] in _TYPES}

    def page(request: Request) -> Response:
        name = request.path_params.get("name") or "index.html"
        if name not in files or (name == "index.html" and request.path_params.get("name")):
            raise HTTPException(404, "nothing is here")
        return Response(files[name], media_type=_TYPES[name.rpartition(".")[2]])

    asked: list[tuple[str, Endpoint]] = [
        ("/state", lambda session, _: _json(session.state())),
        ("/revision", lambda session, _: _json({"revision": session.revision})),
        ("/videos", _videos),
        ("/findings", _findings),
        ("/videos/{number}", lambda session, request: _json(session.video(_part(request, "number")))),
        ("/videos/{number}/strip", _strip),
        ("/videos/{number}/frames/{frame}", _frame),
        ("/videos/{number}/curves", _curves),
        ("/videos/{number}/overlay", _overlay),
        ("/videos/{number}/compare/{kind}", _compare),
    ]
    routes = [Route(path, _answering(session, endpoint), methods=["GET"]) for path, endpoint in asked]
    routes += [
        Route("/decide", _saving(session, _decide), methods=["POST"]),
        Route("/decide-all", _saving(session, _decide_all), methods=["POST"]),
        Route("/undo", _saving(session, _undo), methods=["POST"]),
        Route("/", page, methods=["GET"]),
        Route("/{name}", page, methods=["GET"]),
    ]
    plain = {404: _plain, 405: _plain, HTTPException: _plain}
    return Starlette(routes=routes, exception_handlers=plain)


def _plain(_: Request, error: Exception) -> Response:
    detail = error.detail if isinstance(error, HTTPException) else ""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse("nothing is here" if detail == "Not Found" else detail, status)


def _answered(session: Session, endpoint: Endpoint, request: Request) -> Response:
    try:
        return endpoint(session, request)
    except (RequestError, FrameError) as error:
        return PlainTextResponse(str(error), 422)
    except MeDatasetsError as error:
        return PlainTextResponse(str(error), 500)


def _answering(session: Session, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_answered, session, endpoint, request)

    return answer


def _saving(
    session: Session, save: Callable[[Session, dict[str, Any]], dict[str, Any]]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await _body(request)
        if session.read_only:
            raise HTTPException(403, "this viewer was started with --read-only")

        def saved(session: Session, _: Request) -> Response:
            return _json(save(session, body))

        return await run_in_threadpool(_answered, session, saved, request)

    return answer


async def _body(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "send JSON")
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise HTTPException(413, "too much at once")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "send JSON") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "send a JSON object")
    return body


def _decide(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    return session.decide(_read(_Batch, body).decisions)


def _decide_all(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    wish = _read(_All, body)
    return session.decide_all(wish.query.model_dump(), wish.action, wish.note, wish.expected)


def _undo(session: Session, body: dict[str, Any]) -> dict[str, Any]:
    return session.undo(_read(_Undone, body).ids)


Wanted = TypeVar("Wanted", bound=BaseModel)


def _read(model: type[Wanted], body: dict[str, Any]) -> Wanted:
    try:
        return model.model_validate(body, strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise HTTPException(400, f"{place}: {fault['msg']}" if place else fault["msg"]) from error


def _videos(session: Session, request: Request) -> Response:
    query = dict(request.query_params)
    if query.get("type") not in (None, "micro", "macro"):
        raise HTTPException(400, "type must be micro or macro")
    return _json(session.videos(query, _whole(request, "start", 0), _whole(request, "count", 50)))


def _findings(session: Session, request: Request) -> Response:
    query = dict(request.query_params)
    return _json(session.findings(query, _whole(request, "start", 0), _whole(request, "count", 50)))


def _strip(session: Session, request: Request) -> Response:
    return _jpeg(session.strip(_part(request, "number"), 72))


def _frame(session: Session, request: Request) -> Response:
    entry, number = session.entry(_part(request, "number")), _part(request, "frame")
    width = _whole(request, "width", WIDTHS[2])
    width = next((each for each in WIDTHS if each >= width), WIDTHS[-1])
    name = session.frames.files(entry).names.get(number, "")
    factor = _whole(request, "factor", 1)
    if factor > 1:
        if factor not in _FACTORS:
            raise HTTPException(400, f"factor must be one of {', '.join(map(str, _FACTORS))}")
        content = session.frames.magnified(entry, (_whole(request, "reference", number), number), width, factor)
    else:
        content = session.frames.jpeg(entry, number, width)
    return _jpeg(content, {"X-Frame-Name": quote(name)})


def _curves(session: Session, request: Request) -> Response:
    first, last = _whole(request, "first", 0), _whole(request, "last", 0)
    about, values = session.motion(_part(request, "number")).curves(first, last, _whole(request, "bins", 1000))
    headers = {f"X-{name.capitalize()}": str(value) for name, value in about.items()}
    return Response(values.astype("<f4").tobytes(), media_type="application/octet-stream", headers=headers)


def _overlay(session: Session, request: Request) -> Response:
    first, last = _whole(request, "first", 0), _whole(request, "last", 0)
    if last - first >= _MOST_FRAMES:
        raise HTTPException(400, f"ask for {_MOST_FRAMES} frames at most")
    return _json(session.motion(_part(request, "number")).overlay(first, last))


def _compare(session: Session, request: Request) -> Response:
    entry = session.entry(_part(request, "number"))
    pair = (_whole(request, "a", 0), _whole(request, "b", 0))
    kinds = {
        "first": lambda first, _: coded(first),
        "second": lambda _, second: coded(second),
        "difference": difference,
        "flow": flow_picture,
    }
    if request.path_params["kind"] not in kinds:
        raise HTTPException(404, "nothing is here")
    box = tuple(entry.features.box) if entry.features and "crop" in request.query_params else ()
    first, second = session.frames.pair(entry, pair, box if len(box) == 4 else None)
    return _jpeg(kinds[request.path_params["kind"]](first, second))


def _json(value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), media_type="application/json")


def _jpeg(content: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(content, media_type="image/jpeg", headers=headers)


def _part(request: Request, name: str) -> int:
    return _number(request.path_params[name])


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    return default if text is None else _number(text)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise HTTPException(400, "a whole number is wanted")
    return int(text)
