"""The pages about still images: doubtful ones to look at, with the same server, look and habits as for videos."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from datasets_me.images.review.session import Review, ReviewError
from datasets_me.viewer import web
from datasets_me.viewer.web import RefusedError, as_json, in_path, whole

Text = Annotated[str, Field(max_length=1000)]


class _Decision(BaseModel):
    """The body of ``decide``; no decision takes back what was decided."""

    numbers: list[int] = Field(max_length=1000)
    decision: Literal["accept", "relabel", "exclude"] | None
    label: Text | None = None


class _All(BaseModel):
    """The body of ``decide-all``; without the number that was shown, nothing is saved."""

    code: Text = Field(min_length=1)
    decision: Literal["accept", "relabel", "exclude"]
    label: Text | None = None
    expected: int | None = None


def application(review: Review, *, read_only: bool = False) -> Starlette:
    """The pages of a review, and what they ask for."""
    return web.application(
        "images.html",
        [
            web.get("/overview", lambda _: as_json({**review.overview(), "read_only": read_only})),
            web.get("/revision", lambda _: as_json({"revision": review.revision})),
            web.get("/items", partial(_items, review)),
            web.get("/image/{number}", partial(_image, review)),
            web.post("/decide", partial(_decide, review), read_only=read_only),
            web.post("/decide-all", partial(_decide_all, review), read_only=read_only),
            web.post("/undo-all", lambda _: _allowed(review.undo_all), read_only=read_only),
        ],
    )


def _items(review: Review, request: Request) -> Response:
    state = request.query_params.get("state", "open")
    if state not in ("open", "decided", "all"):
        raise HTTPException(400, "state must be open, decided or all")
    about = {name: whole(request, name, 0) for name in ("after", "before") if name in request.query_params}
    page = partial(
        review.page,
        code=request.query_params.get("code"),
        state=state,
        start=whole(request, "start", 0),
        count=whole(request, "count", 60),
        **about,
    )
    return as_json(_allowed(page))


def _image(review: Review, request: Request) -> Response:
    content, kind = _allowed(partial(review.picture, in_path(request, "number")))
    return Response(content, media_type=kind)


def _decide(review: Review, body: dict[str, Any]) -> Any:
    wish = web.read(_Decision, body)
    return _allowed(partial(review.decide, wish.numbers, wish.decision, wish.label))


def _decide_all(review: Review, body: dict[str, Any]) -> Any:
    wish = web.read(_All, body)
    return _allowed(partial(review.decide_all, wish.code, wish.decision, wish.label, wish.expected))


def _allowed(call: Any) -> Any:
    try:
        return call()
    except ReviewError as error:
        raise RefusedError(str(error)) from error
