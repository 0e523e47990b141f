"""Steps that are done again only when something they depend on has changed."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from datasets_me.cli.run import explained
from datasets_me.core import artefact
from datasets_me.core.errors import MeDatasetsError, PathError
from datasets_me.core.paths import under
from datasets_me.core.version import __version__
from datasets_me.findings.finding import Finding
from datasets_me.formats.kinds import PREPARED

Status = Literal["done", "kept", "failed", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """What a step has done, in a line, and what it found."""

    summary: str
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """A part of the work.

    Attributes:
        name: of the step, one word.
        outputs: the files and folders it writes, relative to the folder of the whole work.
        reads: files whose content it depends on; one that is missing or not up to date makes the step skipped.
        options: what else it depends on.
        run: does it, in place of an earlier result; given those of ``uses`` that are there and up to date.
        uses: files that it takes into account where they can be had.
        always: run it every time, because it knows itself what is done already.
    """

    name: str
    outputs: Sequence[str]
    reads: Sequence[Path]
    options: dict[str, Any]
    run: Callable[[Collection[Path]], Outcome]
    uses: Sequence[Path] = ()
    always: bool = False


@dataclass(frozen=True)
class Result:
    """How a step ended.

    ``older`` are the outputs of a step that could not be done which were there before, from an earlier run.
    """

    step: Step
    status: Status
    summary: str
    findings: list[Finding]
    seconds: float
    older: tuple[str, ...] = ()


class Ledger:
    """What is written down of the steps in ``prepare.json``; nothing is written before `claim`.

    Args:
        about: what the work is of, by name: ``{"dataset": "casme2"}``. Data may move or be corrected meanwhile.

    Raises:
        MeDatasetsError: the folder holds something that is not ours, or the work on something else, or its state is
            damaged.
    """

    def __init__(self, out: Path, about: Mapping[str, str]) -> None:
        self.out = out
        self.about = dict(about)
        self.steps: dict[str, Any] = {}
        if artefact.claim(out, PREPARED):
            state = artefact.read_about(out, PREPARED)
            try:
                self.steps = dict(state["steps"])
                before: dict[str, str] = dict(state["of"])
            except (ValueError, KeyError, TypeError) as error:
                raise MeDatasetsError(
                    f"{PREPARED.about} is damaged: {error}", where=str(out), fix="choose another -o"
                ) from error
            _same(out, before, self.about)

    def claim(self) -> None:
        """Make the folder ours, before anything else is written into it."""
        self._save()

    def kept(self, step: Step, stamp: str) -> Outcome | None:
        """What a step said before, if nothing has changed since."""
        entry = self.steps.get(step.name)
        if step.always or not entry or entry["stamp"] != stamp or not self._there(entry.get("files")):
            return None
        return Outcome(entry["said"], [Finding.model_validate(finding) for finding in entry["findings"]])

    def note(self, step: Step, stamp: str, outcome: Outcome) -> None:
        """Write down that a step is done."""
        findings = [finding.model_dump(mode="json", exclude_none=True) for finding in outcome.findings]
        files = {} if step.always else self._files(step)
        self.steps[step.name] = {"stamp": stamp, "said": outcome.summary, "findings": findings, "files": files}
        self._save()

    def forget(self, step: Step) -> None:
        """Write down that a step is not done."""
        if self.steps.pop(step.name, None) is not None:
            self._save()

    def _files(self, step: Step) -> dict[str, int]:
        """The files of a step, relative to the folder, and their sizes in bytes."""
        places = [self.out / name for name in step.outputs]
        files = [path for place in places for path in (place.rglob("*") if place.is_dir() else (place,))]
        return {path.relative_to(self.out).as_posix(): path.stat().st_size for path in sorted(files) if path.is_file()}

    def _there(self, files: dict[str, int] | None) -> bool:
        """Whether all files of a step are still there, of the same size. Others may have come to lie beside them."""
        if not files:
            return False
        try:
            return all(under(self.out, name).stat().st_size == size for name, size in files.items())
        except (OSError, PathError):
            return False

    def _save(self) -> None:
        about = {**artefact.header(PREPARED), "of": self.about, "steps": dict(sorted(self.steps.items()))}
        artefact.write_file(
            self.out / PREPARED.about, (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()
        )


def _same(out: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    changed = [
        f"{name} {before[name]}, not {now[name]}" for name in now if name in before and before[name] != now[name]
    ]
    if changed:
        raise MeDatasetsError(
            f"the output is of something else: {'; '.join(changed)}",
            where=str(out / PREPARED.about),
            fix="choose another -o",
        )


def run_steps(ledger: Ledger, steps: Sequence[Step], ends: Callable[[Result], None]) -> list[Result]:
    """Run steps in order. One that fails stops only those that read what it writes, an older result too."""
    results: list[Result] = []
    stale: list[Path] = []
    status: Status
    for step in steps:
        started = time.perf_counter()
        before = tuple(name for name in step.outputs if (ledger.out / name).exists())
        broken = [path for path in stale if any(path in (read, *read.parents) for read in step.reads)]
        if broken:
            status, outcome = "skipped", Outcome(f"{broken[0].name} is not up to date")
        else:
            usable = [path for path in step.uses if path.is_file() and not {path, *path.parents} & {*stale}]
            status, outcome = _run(ledger, step, usable)
        if status in ("failed", "skipped"):
            stale += [ledger.out / name for name in step.outputs]
            older = before
        else:
            older = ()
        result = Result(step, status, outcome.summary, outcome.findings, time.perf_counter() - started, older)
        ends(result)
        results.append(result)
    return results


def _run(ledger: Ledger, step: Step, usable: Sequence[Path]) -> tuple[Status, Outcome]:
    missing = [path.name for path in step.reads if not path.is_file()]
    if missing:
        return "skipped", Outcome(f"there is no {', '.join(missing)}")
    stamp = _stamp(step, usable)
    kept = ledger.kept(step, stamp)
    if kept:
        return "kept", kept
    ledger.forget(step)
    try:
        outcome = step.run(usable)
    except (MeDatasetsError, ImportError) as reason:
        error = explained(reason)
        return "failed", Outcome(f"{error.what}" + (f"; to do: {error.fix}" if error.fix else ""))
    ledger.note(step, stamp, outcome)
    return "done", outcome


def _stamp(step: Step, usable: Sequence[Path]) -> str:
    names = [path.name for path in usable]
    hashed = hashlib.sha256(json.dumps([__version__, step.options, names], sort_keys=True, default=str).encode())
    for path in (*step.reads, *usable):
        with path.open("rb") as file:
            hashed.update(hashlib.file_digest(file, "sha256").digest())
    return hashed.hexdigest()
