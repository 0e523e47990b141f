"""The stable codes of findings: severity, name, and the text that ``me-datasets explain`` prints.

The texts are in ``explanations/``, in files named after their group. A released code keeps its meaning.
"""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel, ConfigDict

from datasets_me.core import resources
from datasets_me.core.choices import Severity
from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.text import closest
from datasets_me.schema import yaml_files

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

GROUPS = {
    "1": "workbook",
    "2": "folders",
    "3": "frames",
    "4": "annotation against frames",
    "5": "labels, splits and leakage",
    "6": "features",
    "7": "images",
}


class Code(BaseModel):
    """The meaning of one finding code. ``stage`` is the command that reports it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    name: str
    severity: Severity
    stage: str
    what: str
    why: str
    example: str
    fix: str


@cache
def all_codes() -> dict[str, Code]:
    """Every finding code, in order."""
    files = sorted(resources.package_file("findings/explanations").glob("*.yaml"))
    entries = [
        Code(code=code, **fields)
        for path in files
        for code, fields in yaml_files.load(path.read_text(encoding="utf-8"), path.name).value.items()
    ]
    return {entry.code: entry for entry in sorted(entries, key=lambda entry: entry.code)}


def explain(code: str) -> Code:
    """The meaning of ``code`` (``"ME203"``, in any case) or of a code's name (``"frame-gap"``).

    Raises:
        MeDatasetsError: there is no such code; the nearest one is suggested.
    """
    known = all_codes()
    text = code.strip()
    for entry in known.values():
        if text.upper() == entry.code or text.casefold() == entry.name:
            return entry
    near = closest(text, [*known, *(entry.name for entry in known.values())])
    raise MeDatasetsError(
        f"there is no finding code '{code}'",
        fix=f"did you mean {near}?" if near else "the documentation lists all codes",
    )


def matches(code: str, selectors: list[str]) -> bool:
    """Whether a code is selected: itself, a prefix (``ME2``), or ``ALL``."""
    return any(selector.upper() == "ALL" or code.startswith(selector.upper()) for selector in selectors)


def check_selectors(selectors: list[str]) -> None:
    """Refuse a selector that names no code.

    Raises:
        MeDatasetsError: a selector matches nothing.
    """
    for selector in selectors:
        if not selector or not any(matches(code, [selector]) for code in all_codes()):
            raise MeDatasetsError(
                f"'{selector}' selects no finding code",
                fix="give a code (ME203), the beginning of one (ME2), or ALL; the documentation lists them",
            )
