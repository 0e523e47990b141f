"""Write ``constraints.txt``: the versions, in this environment, of everything that development needs.

    python scripts/lock.py

Install what is to be locked first, into a new environment: ``pip install --upgrade '.[dev]'`` gives the newest
versions.
Only versions are written, no index or host. A version's local part (``+cpu``) is left out, so that the lock fits every
platform.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[1]
KEPT = {"torch": "2.13.0"}
"""Versions that stay as they are."""


def main() -> None:
    """Write the lock; ends with an error where something is not installed."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    versions: dict[str, str] = {}
    wanted = [Requirement(text) for text in [*project["dependencies"], *extras["dev"]]]
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = wanted.pop()
        name, asked = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, asked) in seen:
            continue
        seen.add((name, asked))
        if name == project["name"]:
            wanted += [Requirement(text) for extra in asked for text in extras[extra]]
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:
            sys.exit(f"{name} is not installed; install what is to be locked first: pip install '.[dev]'")
        versions[name] = KEPT.get(name, found.version.partition("+")[0])
        for text in found.requires or ():
            below = Requirement(text)
            if any(not below.marker or below.marker.evaluate({"extra": extra}) for extra in ("", *asked)):
                wanted.append(below)
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    (REPOSITORY / "constraints.txt").write_text("".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} versions")


if __name__ == "__main__":
    main()
