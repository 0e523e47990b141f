"""Steps that are done again only when something they depend on has changed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from datasets_me import __version__
from datasets_me.errors import MeDatasetsError
from datasets_me.files import write_file
from datasets_me.records import Finding

STATE = "prepare.json"
_TOOL = "me-datasets prepare"

Status = Literal["done", "kept", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """What a step has to say: one line, and its findings."""

    said: str
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """A part of the work.

    Attributes:
        name: of the step, one word.
        output: what it writes, relative to the folder of the whole work.
        reads: files whose content it depends on; one that is missing makes the step skipped.
        options: what else it depends on.
        run: does it, in place of an earlier result.
        always: run it every time, because it knows itself what is done already.
    """

    name: str
    output: str
    reads: Sequence[Path]
    options: dict[str, Any]
    run: Callable[[], Outcome]
    always: bool = False


@dataclass(frozen=True)
class Result:
    """How a step ended."""

    step: Step
    status: Status
    said: str
    findings: list[Finding]
    seconds: float


class Ledger:
    """What is written down of the steps in ``prepare.json``.

    Raises:
        MeDatasetsError: the folder holds something that is not ours, or its state is damaged.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.steps: dict[str, Any] = {}
        path = out / STATE
        if path.is_file():
            try:
                about = json.loads(path.read_text(encoding="utf-8"))
                if about["tool"] != _TOOL:
                    raise KeyError(about["tool"])
                self.steps = dict(about["steps"])
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise MeDatasetsError(
                    f"{STATE} is damaged: {error}", where=str(out), fix="choose another -o"
                ) from error
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise MeDatasetsError(
                "the output exists and is not the folder of an earlier prepare",
                where=str(out),
                fix="choose another -o",
            )
        self._save()

    def kept(self, step: Step, stamp: str) -> Outcome | None:
        """What a step said before, if nothing has changed since."""
        entry = self.steps.get(step.name)
        if step.always or not entry or entry["stamp"] != stamp or not (self.out / step.output).exists():
            return None
        return Outcome(entry["said"], [Finding.model_validate(finding) for finding in entry["findings"]])

    def note(self, step: Step, stamp: str, outcome: Outcome) -> None:
        """Write down that a step is done."""
        findings = [finding.model_dump(mode="json", exclude_none=True) for finding in outcome.findings]
        self.steps[step.name] = {"stamp": stamp, "said": outcome.said, "findings": findings}
        self._save()

    def forget(self, step: Step) -> None:
        """Write down that a step is not done."""
        if self.steps.pop(step.name, None) is not None:
            self._save()

    def _save(self) -> None:
        about = {"tool": _TOOL, "version": __version__, "steps": dict(sorted(self.steps.items()))}
        write_file(self.out / STATE, (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode())


def run_steps(
    ledger: Ledger, steps: Sequence[Step], begins: Callable[[str], None], ends: Callable[[Result], None]
) -> list[Result]:
    """Run steps in order. One that fails stops only those that read what it writes, an older result too."""
    results: list[Result] = []
    stale: list[Path] = []
    status: Status
    for step in steps:
        begins(step.name)
        started = time.perf_counter()
        broken = [path for path in stale if any(path in (read, *read.parents) for read in step.reads)]
        if broken:
            status, outcome = "skipped", Outcome(f"{broken[0].name} is not up to date")
        else:
            status, outcome = _run(ledger, step)
        if status in ("failed", "skipped"):
            stale.append(ledger.out / step.output)
        result = Result(step, status, outcome.said, outcome.findings, time.perf_counter() - started)
        ends(result)
        results.append(result)
    return results


def _run(ledger: Ledger, step: Step) -> tuple[Status, Outcome]:
    missing = [path.name for path in step.reads if not path.is_file()]
    if missing:
        return "skipped", Outcome(f"there is no {', '.join(missing)}")
    stamp = _stamp(step)
    kept = ledger.kept(step, stamp)
    if kept:
        return "kept", kept
    ledger.forget(step)
    try:
        outcome = step.run()
    except MeDatasetsError as error:
        return "failed", Outcome(f"{error.what}" + (f"; to do: {error.fix}" if error.fix else ""))
    ledger.note(step, stamp, outcome)
    return "done", outcome


def _stamp(step: Step) -> str:
    hashed = hashlib.sha256(json.dumps([__version__, step.options], sort_keys=True, default=str).encode())
    for path in step.reads:
        with path.open("rb") as file:
            hashed.update(hashlib.file_digest(file, "sha256").digest())
    return hashed.hexdigest()
