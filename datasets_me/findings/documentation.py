"""Where the documentation explains a finding code."""

from __future__ import annotations

import os
from pathlib import Path

ADDRESS = "ME_DATASETS_DOCS"
"""The environment variable that says where the documentation lies: a URL, or the folder that ``make docs`` wrote."""


def page(code: str) -> str:
    """The page of a code within the documentation."""
    return f"findings/{code}.html"


def address(code: str) -> str | None:
    """The page's whole URL; None where nobody said where the documentation lies."""
    base = os.environ.get(ADDRESS, "").strip()
    if not base:
        return None
    url = base if "://" in base else Path(base).resolve().as_uri()
    return f"{url.rstrip('/')}/{page(code)}"
