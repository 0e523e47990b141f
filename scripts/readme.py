"""Bring the README up to date: the output of its commands, and the table of finding codes.

``--check`` changes nothing, and fails with the difference where there is one.

``<!-- run: COMMAND -->`` is followed by a block with what the command prints, ``<!-- codes -->`` by the table; each
ends with ``<!-- end -->``. Commands run one after the other in one empty folder.
"""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from datasets_me.findings.codes import GROUPS, all_codes

README = Path(__file__).resolve().parents[1] / "README.md"
_BLOCK = re.compile(r"<!-- (?P<what>run: (?P<command>.+?)|codes) -->\n.*?<!-- end -->", re.DOTALL)
_MOST_LINES = 28
_DURATION = re.compile(r" +\d+\.\d s(?= )")


def codes_table() -> str:
    """Every finding code, as Markdown."""
    lines = ["| code | name | severity | what |", "| --- | --- | --- | --- |"]
    for group, title in GROUPS.items():
        lines.append(f"| **{group}xx** | **{title}** | | |")
        lines += [
            f"| {c.code} | {c.name} | {c.severity} | {c.what} |" for c in all_codes().values() if c.code[2] == group
        ]
    return "\n".join(lines)


def output(command: str, folder: Path) -> str:
    """What a command prints, cut where it goes on for long."""
    program = command.replace("me-datasets", f"{sys.executable} -m datasets_me")
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(README.parent)}
    done = subprocess.run(program, shell=True, cwd=folder, capture_output=True, text=True, env=environment)
    lines = [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 4], "...", *lines[-3:]]
    return "\n".join(lines)


def renewed(text: str) -> str:
    """The README with every block as it would be written now."""
    with tempfile.TemporaryDirectory() as folder:

        def fill(match: re.Match[str]) -> str:
            if match["what"] == "codes":
                body = codes_table()
            else:
                body = f"```console\n$ {match['command']}\n{output(match['command'], Path(folder))}\n```"
            return f"<!-- {match['what']} -->\n{body}\n<!-- end -->"

        return _BLOCK.sub(fill, text)


def timeless(text: str) -> str:
    """A text without how long something took, which no two runs agree on."""
    return _DURATION.sub(" … s", text)


def main() -> int:
    before = README.read_text(encoding="utf-8")
    after = renewed(before)
    if "--check" not in sys.argv[1:]:
        README.write_text(after, encoding="utf-8")
        return 0
    old, new = timeless(before), timeless(after)
    lines = (text.splitlines(keepends=True) for text in (old, new))
    sys.stdout.writelines(difflib.unified_diff(*lines, "README.md", "README.md, with what is printed now"))
    return 0 if old == new else 1


if __name__ == "__main__":
    sys.exit(main())
