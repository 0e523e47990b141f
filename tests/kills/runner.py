"""Ends a verb before its k-th change to the file system, and judges what it leaves.

Run as ``python -m tests.kills.runner FOLDER TRIALS VERB…``: ``FOLDER`` holds the inputs, ``TRIALS`` says how many of
all (moment, signal) pairs to draw, or ``all``. Each trial is a fork of a process that has imported everything. Prints a
line of JSON for each verb: how many trials there were of how many, and what went wrong in them.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import zlib
from pathlib import Path
from typing import Any

from tests.kills.verbs import VERBS, Verb

SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
_CHANGES = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def tree(place: Path) -> dict[str, str]:
    """Everything under a place by its path, with a hash of each file; ``{}`` where there is nothing."""
    if place.is_file():
        return {"": hashlib.sha256(place.read_bytes()).hexdigest()}
    found = {}
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        if path.is_symlink():
            found[name] = "-> " + str(path.readlink())
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


class Trials:
    """The trials of one verb."""

    def __init__(self, verb: Verb, inputs: Path) -> None:
        self.verb, self.inputs, self.place = verb, inputs, inputs.parent / f"trial-{zlib.crc32(verb.name.encode()):x}"
        self.earlier = inputs.parent / f"{self.place.name}-earlier"
        self.new = tuple(argument for argument in verb.arguments if argument != "--force")
        if verb.twice:  # an output of the same command, that differs from what it makes now
            self._lay()
            self._run(self.new)
            self._mark_as_older()
            shutil.copytree(self.place, self.earlier, symlinks=True)
        self._lay()
        self.before = self._outputs()
        _, self.code, self.changes = self._run(verb.arguments, count=True)
        self.after, self.listing = self._outputs(), self._listing()

    def _lay(self) -> None:
        """The inputs as links, or copies where the verb writes into them, and an earlier output if one is due."""
        shutil.rmtree(self.place, ignore_errors=True)
        if self.earlier.exists():
            shutil.copytree(self.earlier, self.place, symlinks=True)
            return
        self.place.mkdir()
        for path in self.inputs.iterdir():
            if path.name in self.verb.copies:
                shutil.copytree(path, self.place / path.name)
            else:
                (self.place / path.name).symlink_to(path)

    def _mark_as_older(self) -> None:
        """Change what an earlier run wrote, so that old and new can be told apart; it stays an output of ours."""
        for name in self.verb.outputs:
            path = self.place / name
            for about in path.glob("*.json") if path.is_dir() else ():
                text = json.loads(about.read_text(encoding="utf-8"))
                if isinstance(text, dict) and "tool" in text:
                    about.write_text(json.dumps({**text, "older": True}), encoding="utf-8")

    def _outputs(self) -> dict[str, dict[str, str]]:
        return {name: tree(self.place / name) for name in self.verb.outputs}

    def _listing(self) -> list[str]:
        return sorted(
            Path(folder, name).relative_to(self.place).as_posix()
            for folder, folders, files in os.walk(self.place)
            for name in (*folders, *files)
        )

    def _run(
        self, arguments: tuple[str, ...], *, kill: tuple[int, int] | None = None, count: bool = False
    ) -> tuple[int, int, int]:
        """Run a command line in a fork: the signal that ended it (0 for none), its exit code, changes if counted."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _be_the_command(self.place, arguments, kill, writer if count else None)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            changes = int(pipe.read() or b"0")
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return os.WTERMSIG(status), 0, changes
        return 0, os.WEXITSTATUS(status), changes

    def trial(self, moment: int, number: int) -> str | None:
        """What is wrong after a kill, None where nothing is."""
        self._lay()
        ended, code, _ = self._run(self.verb.arguments, kill=(moment, number))
        if number == signal.SIGKILL and ended != signal.SIGKILL:
            return f"was not killed (exit code {code})"
        if ended not in (0, number):
            return f"was ended by signal {ended}"
        for name, now in self._outputs().items():
            if not self.verb.resumes and now not in (self.before[name], self.after[name]):
                return (
                    f"left {name} neither as it was nor whole: {_difference(now, self.before[name], self.after[name])}"
                )
        exists = any(os.path.lexists(self.place / name) for name in self.verb.outputs)
        again = (*self.new, *(self.verb.again if exists else ())) if not self.verb.twice else self.verb.arguments
        ended, code, _ = self._run(again)
        if ended or code != self.code:
            return f"the next run ends with {code or f'signal {ended}'}, not {self.code}"
        if (now := self._outputs()) != self.after:
            name = next(name for name in now if now[name] != self.after[name])
            return f"the next run makes another {name}: {_difference(now[name], self.after[name])}"
        if litter := sorted(set(self._listing()) ^ set(self.listing)):
            return f"after the next run there is more or less: {litter}"
        return None


def _difference(now: dict[str, str], *others: dict[str, str]) -> str:
    differing = [sorted(name for name in now.keys() | other if now.get(name) != other.get(name)) for other in others]
    return " / ".join(", ".join(names[:6]) for names in differing)


def _be_the_command(place: Path, arguments: tuple[str, ...], kill: tuple[int, int] | None, out: int | None) -> None:
    """Become ``me-datasets`` with some arguments; never returns."""
    from datasets_me.cli import main
    from datasets_me.core.engine import loop
    from datasets_me.core.engine.here import Here

    # changes are counted in this process, so all work is done in it
    loop.Processes = lambda make_handler, config, workers, report: Here(make_handler, config, report)  # type: ignore
    code = 70
    changes = 0

    def watch(event: str, given: tuple[Any, ...]) -> None:
        nonlocal changes
        if event not in _CHANGES or (event == "open" and not (isinstance(given[2], int) and given[2] & _WRITING)):
            return
        path = os.fsdecode(given[0]) if isinstance(given[0], (str, bytes)) else ""
        if path.startswith(("/dev/", "/proc/")) and not path.startswith("/dev/shm/"):  # where the suite tries it
            return
        changes += 1
        if kill and changes == kill[0]:
            os.kill(os.getpid(), kill[1])

    try:
        os.chdir(place)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        sys.argv = ["me-datasets", *arguments]
        sys.addaudithook(watch)
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        code = 70
    finally:
        if out is not None:
            os.write(out, str(changes).encode())
        os._exit(code)


def main() -> None:
    """Run the trials that the command line asks for."""
    import cv2
    import pyarrow.parquet  # noqa: F401 - a fork then need not import it

    import datasets_me.cli  # noqa: F401

    cv2.setNumThreads(1)  # threads do not survive a fork
    inputs, asked, *names = sys.argv[1:]
    for name in names:
        print(
            json.dumps(_all_trials(next(verb for verb in VERBS if verb.name == name), Path(inputs), asked)), flush=True
        )


def _all_trials(verb: Verb, inputs: Path, asked: str) -> dict[str, Any]:
    trials = Trials(verb, inputs.resolve())
    everything = [(moment, number) for moment in range(1, trials.changes + 1) for number in SIGNALS]
    chosen = everything
    if asked != "all" and int(asked) < len(everything):
        chosen = random.Random(zlib.crc32(verb.name.encode())).sample(everything, int(asked))
    failures = {f"{signal.Signals(s).name} before change {m}": said for m, s in chosen if (said := trials.trial(m, s))}
    return {
        "verb": verb.name,
        "trials": len(chosen),
        "of": len(everything),
        "exit": trials.code,
        "failures": failures,
    }


if __name__ == "__main__":
    main()
