"""What an attack is, and where the attacks are listed."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile.world import World


@dataclass(frozen=True)
class Attack:
    """A verb over inputs that lie ready.

    Args:
        arguments: of the command line.
        outputs: what it may leave under ``out/``, by name; all of it, or nothing where it could not run.
        rows: rows of the table that is converted, each an annotation or a finding in the end; None where nobody knows.
        grows: its output is filled bit by bit, so that an error may leave a part of it to go on with.
        moves: the folder in which it may move files about, none of which may be lost.
        leads: links of the user's own lead to ``victim/``, which may be read through them.
        sound: there is no damage, so that the verb has to run.
        replaces: an older output lies in ``out/``, which has to stay where the verb could not run.
    """

    arguments: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    rows: int | None = None
    grows: bool = False
    moves: Path | None = None
    leads: bool = False
    sound: bool = False
    replaces: bool = False


Make = Callable[[World, random.Random], Attack]


@dataclass
class Kind:
    """The attacks on one kind of input: some with names, which are always made, and others from seeds."""

    name: str
    cases: dict[str, Make] = field(default_factory=dict)
    chance: Make | None = None

    def case(self, make: Make) -> Make:
        """Registers an attack of its own, under the name of its function."""
        self.add(make.__name__.replace("_", "-"), make)
        return make

    def add(self, name: str, make: Make) -> None:
        """Registers an attack under a name."""
        if name in self.cases:
            raise ValueError(f"two attacks are called {name}")
        self.cases[name] = make

    def at_random(self, make: Make) -> Make:
        """Registers what makes attacks from seeds."""
        self.chance = make
        return make

    def make(self, name: str, world: World) -> Attack:
        """The attack of that name, or of the seed that the name is."""
        chance = random.Random(zlib.crc32(f"{self.name} {name}".encode()))
        make = self.cases.get(name) or self.chance
        if make is None or (name not in self.cases and not name.isdecimal()):
            raise ValueError(f"no attack on {self.name} is called {name}: there are {', '.join(self.cases)}")
        return make(world, chance)


def attack(line: str, world: World, **fields: object) -> Attack:
    """A line as a user types it, over the inputs that stand in braces; ``{out}`` is where it writes.

    What of its inputs has not been taken yet is taken as it is, sound.
    """

    def place(match: re.Match[str]) -> str:
        if match[1] in ("out", "victim"):
            return str(world.place / match[1])
        return str(world.take(match[1])) if (world.base / match[1]).exists() else match[0]

    arguments = tuple(re.sub(r"\{([^{}]+)\}", place, part) for part in line.split())
    outputs = tuple(
        Path(part).relative_to(world.out).parts[0] for part in arguments if part.startswith(f"{world.out}/")
    )
    return Attack(arguments, **{"outputs": outputs, **fields})  # type: ignore[arg-type]


def verb_of(line: str) -> str:
    """A short name of a line: its verb, and the format it is told to write in."""
    words = line.split()
    verb = words[: next(index for index, word in enumerate(words) if word.startswith("{"))]
    return "-".join([*verb, words[words.index("--format") + 1]] if "--format" in words else verb)


def listed(
    kinds: dict[str, Kind], count: int, always: Sequence[tuple[str, str]] = (), first: int = 0
) -> list[tuple[str, str]]:
    """Kind and name of attacks: ``always`` those, then as many of the others that have a name as from seeds.

    Args:
        count: how many; where there are more of ``always``, every second or third of them, so that all kinds occur.
        first: the first of the seeds, which also decides which of the others come first.
    """
    wanted = [(kind, name) for kind, name in always if kind in kinds]
    every = max(1, -(-len(wanted) // max(count, 1)))
    chosen = wanted[first % every :: every]
    named = [(kind.name, name) for kind in kinds.values() for name in kind.cases if (kind.name, name) not in wanted]
    random.Random(first).shuffle(named)
    of_seeds = [kind.name for kind in kinds.values() if kind.chance]
    left = max(0, count - len(chosen))
    chosen += named[: left // 2 if of_seeds else left]
    left = count - len(chosen)
    return chosen + [(of_seeds[n % len(of_seeds)], str(first + n // len(of_seeds))) for n in range(left) if of_seeds]
