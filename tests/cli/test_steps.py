"""Steps are done, kept, failed or skipped."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from datasets_me.cli.steps import Ledger, Outcome, Result, Step, run_steps
from datasets_me.core.errors import MeDatasetsError
from datasets_me.findings.finding import finding


class Work:
    """Two steps, the second of which reads what the first writes."""

    def __init__(self, folder: Path) -> None:
        self.out, self.source = folder / "out", folder / "source.txt"
        self.source.write_text("one")
        self.factor = 2
        self.broken = False
        self.dataset = "casme2"
        self.runs: list[str] = []

    def first(self, _: object) -> Outcome:
        self.runs.append("first")
        if self.broken:
            raise MeDatasetsError("it is broken")
        (self.out / "first.txt").write_text(self.source.read_text())
        return Outcome("read", [finding("ME102", "a line of prose", path="book.xlsx")])

    def second(self, usable: Collection[Path]) -> Outcome:
        self.runs.append("second")
        if self.factor == 0:
            raise MeDatasetsError("nothing can be made of 0", fix="give another factor")
        extra = "".join(path.read_text() for path in usable)
        (self.out / "second.txt").write_text((self.out / "first.txt").read_text() * self.factor + extra)
        return Outcome("written")

    def __call__(self) -> list[Result]:
        self.runs.clear()
        steps = [
            Step("first", ["first.txt"], [self.source], {"broken": self.broken}, self.first),
            Step("second", ["second.txt"], [self.out / "first.txt"], {"factor": self.factor}, self.second),
        ]
        ledger = Ledger(self.out, {"dataset": self.dataset})
        ledger.claim()
        return run_steps(ledger, steps, lambda result: None)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def statuses(results: list[Result]) -> list[str]:
    return [result.status for result in results]


def test_what_has_not_changed_is_kept_with_its_findings(work: Work) -> None:
    before = work()
    assert statuses(before) == ["done", "done"]
    after = work()
    assert statuses(after) == ["kept", "kept"]
    assert work.runs == []
    assert after[0].findings == before[0].findings
    assert after[0].summary == "read"


def test_a_change_goes_through_all_that_depends_on_it(work: Work) -> None:
    work()
    work.source.write_text("two")
    assert statuses(work()) == ["done", "done"]
    assert (work.out / "second.txt").read_text() == "twotwo"
    work.factor = 3
    assert statuses(work()) == ["kept", "done"]
    (work.out / "second.txt").unlink()
    assert statuses(work()) == ["kept", "done"]


def test_a_failure_says_what_to_do_and_is_tried_again(work: Work) -> None:
    work.factor = 0
    failed = work()[1]
    assert (failed.status, failed.summary) == ("failed", "nothing can be made of 0; to do: give another factor")
    work.factor = 2
    assert statuses(work()) == ["kept", "done"]


def test_what_a_failed_step_wrote_before_is_not_built_upon(work: Work) -> None:
    work()
    work.broken = True
    results = work()
    assert statuses(results) == ["failed", "skipped"]
    assert results[1].summary == "first.txt is not up to date"


def test_a_step_without_its_input_is_skipped(work: Work) -> None:
    work.source.unlink()
    results = work()
    assert statuses(results) == ["skipped", "skipped"]
    assert results[0].summary == "there is no source.txt"


def test_folders_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(MeDatasetsError, match="the output exists and is not a folder of an earlier prepare"):
        Ledger(tmp_path, {})
    (tmp_path / "prepare.json").write_text("{")
    with pytest.raises(MeDatasetsError, match=r"the folder of an earlier prepare is damaged: prepare\.json: Expecting"):
        Ledger(tmp_path, {})


def test_what_is_gone_or_damaged_is_made_again(work: Work) -> None:
    work()
    (work.out / "first.txt").write_text("")
    assert statuses(work()) == ["done", "kept"]
    (work.out / "second.txt").unlink()
    (work.out / "notes.txt").write_text("of the user")
    assert statuses(work()) == ["kept", "done"]
    assert (work.out / "notes.txt").exists()


def test_work_on_something_else_is_refused_and_leaves_everything(work: Work) -> None:
    work()
    before = (work.out / "prepare.json").read_bytes()
    work.dataset = "samm"
    with pytest.raises(MeDatasetsError, match="the output is of something else: dataset casme2, not samm"):
        work()
    assert (work.out / "prepare.json").read_bytes() == before


def test_results_of_an_earlier_run_are_told(work: Work) -> None:
    work.factor = 0
    assert work()[1].older == ()
    work.factor = 2
    assert [result.older for result in work()] == [(), ()]
    work.factor = 0
    assert work()[1].older == ("second.txt",)


@pytest.mark.parametrize("name", ["../source.txt", "link/source.txt", "/etc/passwd"])
def test_a_strangers_state_is_not_believed(work: Work, name: str) -> None:
    work()
    (work.out / "link").symlink_to("..")
    state = json.loads((work.out / "prepare.json").read_text())
    size = (Path("/etc/passwd") if name[0] == "/" else work.source).stat().st_size
    state["steps"]["first"]["files"] = {name: size}
    (work.out / "prepare.json").write_text(json.dumps(state))
    assert statuses(work()) == ["done", "kept"]


def test_what_a_step_only_uses_may_be_missing_or_out_of_date(tmp_path: Path) -> None:
    out, given = tmp_path / "out", tmp_path / "given.txt"
    told: list[list[str]] = []
    works = True

    def extra(_: object) -> Outcome:
        if not works:
            raise ModuleNotFoundError("No module named 'scipy'", name="scipy")
        (out / "extra.txt").write_text(given.read_text())
        return Outcome("")

    def main(usable: Collection[Path]) -> Outcome:
        told.append([path.name for path in usable])
        (out / "main.txt").touch()
        return Outcome("")

    def run() -> list[Result]:
        ledger = Ledger(out, {})
        ledger.claim()
        steps = [Step("extra", ["extra.txt"], [given], {"works": works}, extra)]
        return run_steps(ledger, [*steps, Step("main", ["main.txt"], (), {}, main, uses=[out / "extra.txt"])], print)

    assert statuses(run()) == ["skipped", "done"]
    given.write_text("one")
    assert statuses(run()) == ["done", "done"]
    assert statuses(run()) == ["kept", "kept"]
    given.write_text("two")
    assert statuses(run()) == ["done", "done"]
    works = False
    failed = run()
    assert statuses(failed) == ["failed", "done"]
    assert failed[0].summary.startswith("the library 'scipy' is not installed; to do: in the checkout of me-datasets: ")
    assert told == [[], ["extra.txt"], ["extra.txt"], []]
