"""Run the console blocks of the documentation, and write down what they print.

    python scripts/replay.py [--check] [PAGE ...]

A block is replayed if its first line begins with ``$ ``:

    ```console
    $ me-datasets explain ME202
    what it prints
    ```

A block of another language whose first line names a file in a comment, ``# my_lab.yaml``, is written to that file.

The blocks of a page run one after the other in one empty folder. A page whose front matter says ``follows: OTHER.md``
(beside it) goes on in the folder of that page. ``--check`` writes nothing and fails where an output differs. Durations,
SHA-256 sums and the ids of decisions are not compared, because they change.

What the commands leave behind is compared with the reference of formats on disk, too.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "docs")]

from me_docs import GENERATED, formats  # noqa: E402 - found by the line above

WIDTH = 100  # columns of the terminal that the commands see
MOST_LINES = 28
LAST_LINES = 3
LONGEST = 300  # seconds a command may take, so that one which never ends is stopped

_BLOCK = re.compile(
    r"^```console\n(?P<body>\$ .*?)^```$|^```\w+\n# (?P<file>[\w.-]+\.\w+)\n(?P<content>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_FOLLOWS = re.compile(r"\A---\n(?:.*\n)*?follows: (?P<page>\S+)\n(?:.*\n)*?---\n")
_CHANGING = (
    (re.compile(r" *\d+\.\d s\b"), " … s"),
    (re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{16})\b"), "…"),
)


@dataclass(frozen=True)
class Result:
    """A page before and after: its path, both texts, and the folders that hold files nobody described."""

    path: Path
    before: str
    after: str
    undescribed: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both texts say the same, apart from what changes from run to run."""
        return lasting(self.before) == lasting(self.after)


def pages() -> list[Path]:
    """The pages that are written by hand."""
    docs = REPOSITORY / "docs"
    generated = [docs / name for name in GENERATED]
    found = [path for path in docs.rglob("*.md") if not any(path.is_relative_to(folder) for folder in generated)]
    return [REPOSITORY / "README.md", *sorted(found)]


def commands(body: str) -> Iterator[str]:
    """The commands of a block; a line that ends in a backslash goes on in the next."""
    lines = iter(body.splitlines())
    for line in lines:
        if line.startswith("$ "):
            while line.endswith("\\"):
                line += "\n" + next(lines)
            yield line.removeprefix("$ ")


def lasting(text: str) -> str:
    """A text without what no two machines agree on."""
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return text


def output(command: str, folder: Path, environment: dict[str, str]) -> str:
    """What a command prints, cut where it goes on for long; of a failed one what it says of the error, too."""
    words = ["timeout", str(LONGEST), "bash", "-c", command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    printed = done.stdout + (done.stderr if done.returncode not in (0, 1) else "")
    lines = [line.rstrip() for line in printed.splitlines()]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - LAST_LINES - 1], "...", *lines[-LAST_LINES:]]
    return "".join(f"{line}\n" for line in lines)


def renewed(text: str, folder: Path, environment: dict[str, str]) -> str:
    """A page with every block as it would be written now; a block that says the same stays as it is."""

    def fill(match: re.Match[str]) -> str:
        if match["file"]:
            (folder / match["file"]).write_text(match["content"], encoding="utf-8")
            return match[0]
        ran = [f"$ {command}\n{output(command, folder, environment)}" for command in commands(match["body"])]
        new = f"```console\n{''.join(ran)}```"
        return match[0] if lasting(match[0]) == lasting(new) else new

    return _BLOCK.sub(fill, text)


def chains(wanted: list[Path]) -> list[list[Path]]:
    """Pages that have blocks, in the order they run in: each page behind the one it follows, one list per folder."""
    after: dict[Path, Path | None] = {}
    for path in wanted:
        text = path.read_text(encoding="utf-8")
        while _BLOCK.search(text) and path not in after:
            match = _FOLLOWS.match(text)
            after[path] = (path.parent / match["page"]).resolve() if match else None
            if after[path] is None:
                break
            path, text = after[path], after[path].read_text(encoding="utf-8")
    ordered: dict[Path, list[Path]] = {}

    def root(path: Path) -> Path:
        return path if after[path] is None else root(after[path])

    def depth(path: Path) -> int:
        return 0 if after[path] is None else 1 + depth(after[path])

    for path in sorted(after, key=lambda path: (depth(path), path)):
        ordered.setdefault(root(path), []).append(path)
    return sorted(ordered.values(), key=len, reverse=True)


def run(chain: list[Path]) -> list[Result]:
    """Replay pages one after the other in one empty folder."""
    results = []
    with tempfile.TemporaryDirectory(prefix="replay-") as name:
        place = Path(name)
        programs, folder = place / "bin", place / "work"
        programs.mkdir()
        folder.mkdir()
        for program, words in (("me-datasets", "-m datasets_me"), ("python", "")):
            script = programs / program
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            script.chmod(0o755)
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "CLICOLOR_FORCE")},
            "NO_COLOR": "1",
            "COLUMNS": str(WIDTH),
            "PYTHONPATH": str(REPOSITORY),
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        }
        for path in chain:
            before = path.read_text(encoding="utf-8")
            after = renewed(before, folder, environment)
            results.append(Result(path, before, after, tuple(formats.undescribed(folder))))
    return results


def put(result: Result) -> bool:
    """Write a page that has changed, unless somebody else has changed it meanwhile; whether it could be."""
    name = result.path.relative_to(REPOSITORY)
    if result.path.read_text(encoding="utf-8") != result.before:
        print(f"{name} was edited while its commands ran; it stays as it is, run this again")
        return False
    result.path.write_text(result.after, encoding="utf-8")
    print(f"{name} renewed", flush=True)
    return True


def main() -> int:
    """Replay the pages; 1 if something differs, or is not described."""
    parser = argparse.ArgumentParser(description="Run the console blocks of the documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where an output differs")
    parser.add_argument("pages", nargs="*", type=Path, help="only these pages, and those that they follow")
    chosen = parser.parse_args()
    failed = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for results in pool.map(run, chains([path.resolve() for path in chosen.pages] or pages())):
            for result in results:
                name = result.path.relative_to(REPOSITORY)
                if chosen.check and not result.same:
                    failed = True
                    texts = (lasting(text).splitlines(keepends=True) for text in (result.before, result.after))
                    sys.stdout.writelines(difflib.unified_diff(*texts, f"{name}", f"{name}, with what is printed now"))
                elif not result.same:
                    failed = not put(result) or failed
                for file in result.undescribed:
                    failed = True
                    print(f"{name}: {file} is not in docs/me_docs/kinds.yaml, the reference of formats on disk")
    if failed and chosen.check:
        print("make docs-outputs renews the outputs")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
