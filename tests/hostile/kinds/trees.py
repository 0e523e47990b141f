"""Trees of folders: their names, their links, what lies in them that is no file."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.hostile import damage
from tests.hostile.attack import Attack, Kind, attack, verb_of
from tests.hostile.world import VIDEOS, World

KIND = Kind("trees")

CHECK = "check {manifest} --root {frames}"
DEEP = "check {manifest} --root {frames} --deep --format json"
CONVERT = "convert casme-sq {book.xlsx} --root {frames} -o {out}/manifest"
SEARCH = "convert casme-sq {frames} -o {out}/manifest"
DRY = "relocate {manifest} --root {frames}"
CLIPS = "export clips {manifest} --root {frames} -o {out}/clips --size 16"
IMPORT = "images import {frames} --schema folder-per-class -o {out}/set --workers 1"
EXTRACT = "extract {manifest} --root {frames} -o {out}/features --workers 1 --preset dis --videos *0401"

VIDEO = f"rawpic/s15/{VIDEOS[0]}"
TEXTS = [text for text in damage.TEXTS if text not in ("", ".", "..") and "/" not in text and "\0" not in text]


def _tree(name: str, change: Callable[[Path, World], object], *lines: str, leads: bool = False) -> None:
    """Registers attacks by a change of the tree, one for each verb."""
    for line in lines:

        def make(world: World, chance: random.Random, line: str = line) -> Attack:
            change(world.take("frames"), world)
            return attack(line, world, leads=leads, grows=line is EXTRACT)

        KIND.add(f"{name}-{verb_of(line)}{'-search' if line is SEARCH else ''}", make)


def _still(root: Path) -> bytes:
    return (root / VIDEO / "img001.jpg").read_bytes()


def _stray(name: str) -> Callable[[Path, World], object]:
    return lambda root, world: (root / VIDEO / name).write_bytes(_still(root))


def _named(root: Path, world: World) -> None:
    """Folders and files by every name there may be."""
    for text in TEXTS:
        if len(text.encode()) < 250:
            (root / "rawpic" / text).mkdir()
            (root / "rawpic" / text / "img001.jpg").write_bytes(_still(root))
            (root / VIDEO / f"{text[:200]}.jpg").write_bytes(b"")


def _not_text(root: Path, world: World) -> None:
    """Names that are not UTF-8."""
    name = b"s15\xff\xfe\x9b".decode("utf-8", "surrogateescape")
    (root / "rawpic" / name).mkdir()
    (root / "rawpic" / name / "img001.jpg").write_bytes(_still(root))
    (root / VIDEO / f"img{name}.jpg").write_bytes(_still(root))


def _deep(root: Path, world: World) -> None:
    path = root / "rawpic" / "s15"
    for _ in range(400):
        path /= "d"
    path.mkdir(parents=True)
    (path / "img001.jpg").write_bytes(_still(root))


def _thousands(root: Path, world: World) -> None:
    for number in range(1500):
        (root / "rawpic" / f"s{number + 100}" / f"{number + 100}_0401x").mkdir(parents=True)
    for number in range(3000):
        (root / VIDEO / f"img{number + 100}.jpg").touch()


def _unreadable(root: Path, world: World) -> None:
    (root / "rawpic" / "s16").chmod(0)
    (root / VIDEO / "img003.jpg").chmod(0)


def _pipes(root: Path, world: World) -> None:
    for name in ("img004.jpg", "img030.jpg", "note.txt"):
        (root / VIDEO / name).unlink(missing_ok=True)
        os.mkfifo(root / VIDEO / name)
    os.mkfifo(root / "rawpic" / "s99")
    os.mkfifo(root / "CAS(ME)^2code_final.xlsx")


def _link(name: str, target: str) -> Callable[[Path, World], object]:
    def make(root: Path, world: World) -> None:
        (root / name).symlink_to(target.replace("{victim}", str(world.victim)))

    return make


def _empty(root: Path, world: World) -> None:
    shutil.rmtree(root)
    root.mkdir()


def _file(root: Path, world: World) -> None:
    shutil.rmtree(root)
    root.touch()


def _twice(root: Path, world: World) -> None:
    """One number by several names."""
    for name in ("img1.jpg", "img01.jpg", "IMG001.JPG", "img001.png", "img0000000001.jpg"):
        (root / VIDEO / name).write_bytes(_still(root))


_tree("stray-date", _stray("img20140508.jpg"), CHECK, CONVERT, CLIPS, EXTRACT)
_tree("stray-number-of-many-digits", _stray(f"img{'9' * 200}.jpg"), CHECK, CONVERT, CLIPS)
_tree("stray-number-as-great-as-an-integer", _stray("img2147483648.jpg"), CHECK, CONVERT)
_tree("stray-number-below-nought", _stray("img-5.jpg"), CHECK)
_tree("stray-digits-of-another-script", _stray("img٣.jpg"), CHECK)
_tree("one-number-by-several-names", _twice, CHECK, CONVERT)
_tree("names-of-every-kind", _named, CHECK, DEEP, CONVERT, DRY, IMPORT)
_tree("names-that-are-not-text", _not_text, CHECK, CONVERT, IMPORT)
_tree("four-hundred-deep", _deep, CHECK, IMPORT)
_tree("thousands-of-entries", _thousands, CHECK, CONVERT)
_tree("folders-that-cannot-be-opened", _unreadable, CHECK, DEEP, IMPORT)
_tree("pipes", _pipes, DEEP, CONVERT, SEARCH, CLIPS)
_tree("a-link-to-itself", _link("rawpic/s15/loop", "loop"), CHECK, IMPORT)
_tree("a-link-to-the-root", _link("rawpic/s15/up", "../.."), CHECK, IMPORT)
_tree("two-links-to-each-other", _link("rawpic/s15/a", "../s16"), CHECK)
_tree("a-link-to-everything", _link("rawpic/s15/all", "/"), CHECK, CONVERT, leads=True)
_tree("a-link-to-devices", _link("rawpic/s15/dev", "/dev"), CHECK, IMPORT, leads=True)
_tree("a-link-to-processes", _link("rawpic/s15/15_9999x", "/proc/self"), DEEP, leads=True)
_tree("nothing", _empty, CHECK, CONVERT, IMPORT, CLIPS)
_tree("a-file", _file, CHECK, CONVERT, IMPORT)


@KIND.case
def two_links_that_multiply(world: World, chance: random.Random) -> Attack:
    root = world.take("frames")
    for number in range(12):
        folder = root / f"f{number}"
        folder.mkdir()
        for name in ("a", "b", "c"):
            (folder / name).symlink_to(f"../f{number + 1}")
    (root / "f12").mkdir()
    (root / "f12" / "img001.jpg").write_bytes(_still(root))
    return attack(CHECK, world)


@KIND.at_random
def seeds(world: World, chance: random.Random) -> Attack:
    """Entries renamed, copied, moved, linked, or replaced by what they are not."""
    root = world.take("frames")
    for _ in range(chance.choice([1, 3, 10])):
        entries = sorted(path for path in root.rglob("*") if not path.is_symlink())
        if not entries:
            break
        _change(chance.choice(entries), entries, root, world, chance)
    return attack(chance.choice([CHECK, DEEP, CONVERT, DRY, CLIPS, SEARCH]), world)


def _change(path: Path, entries: list[Path], root: Path, world: World, chance: random.Random) -> None:
    """Change one entry of a tree in one of eight ways; a way that does not fit it changes nothing."""
    way = chance.randrange(8)
    name = chance.choice([text for text in TEXTS if len(text.encode()) < 250])
    if way == 0:
        path.rename(path.with_name(f"{path.stem}{chance.choice('0123456789')}{path.suffix}"))
    elif way == 1:
        path.rename(path.with_name(name))
    elif way == 2:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif way == 5:
        target = chance.choice(["..", "../..", ".", str(root), "nowhere", str(chance.choice(entries))])
        _link(f"{path.relative_to(root).parent}/link{chance.randrange(10**6)}", target)(root, world)
    elif path.is_file():
        _change_file(path, way, chance)
    elif way == 7:
        shutil.move(path, path.with_name(chance.choice([VIDEOS[1], "s99", "cropped", "selectedpic", name])))


def _change_file(path: Path, way: int, chance: random.Random) -> None:
    if way == 3:
        path.write_bytes(path.read_bytes()[: chance.randrange(200)])
    elif way == 4:
        damage.no_file(path, chance)
    elif way == 6:
        (path.parent / f"img{chance.choice([0, 7, 999, 20140508, 10**12])}.jpg").write_bytes(path.read_bytes())
