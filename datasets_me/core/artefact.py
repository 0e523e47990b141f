"""Output files and folders: written whole or not at all, and never over something that this package did not write.

A file or folder is written under a temporary name beside its place, and then renamed in one step. Each folder has a
JSON file that says what it is:

::

    {"kind": "manifest", "format": 1, "tool": {"name": "me-datasets", "version": "0.1.0"}, …,
     "files": {"annotations.parquet": "<SHA-256>", …}}

By it a later run knows which folders it may replace with ``--force``: those of the same kind in which every file is
listed. What a killed run left beside a target (``.name.….unfinished``, ``.name.….replaced``) is put back or removed by
the next run that writes the same target.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import itertools
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets_me.core.errors import MeDatasetsError, OutputError, WriteError
from datasets_me.core.files import checksum, read_json
from datasets_me.core.locks import is_lock
from datasets_me.core.version import __version__

if sys.platform != "win32":
    import fcntl

TOOL = "me-datasets"
"""The name of this program in the files it writes."""

_UNFINISHED = ".unfinished"
_REPLACED = ".replaced"
_LONGEST = 200  # bytes of a target's name that a temporary one repeats; file systems allow 255 in all
_EACH = 256  # up to so many files, each is flushed to the disk by itself; for more, the whole file system is


@dataclass(frozen=True)
class Kind:
    """A kind of folder.

    Attributes:
        name: as it stands in the folder: ``image-set``.
        noun: as messages say it: ``set of images``.
        about: the name of the JSON file that says what the folder is.
        format: a number, raised when older readers would misread the folder.
        make: the command that writes one, for messages: ``me-datasets convert``.
        oldest: the oldest format that can still be read.
        error: the exception for one that cannot be read.
    """

    name: str
    noun: str
    about: str
    format: int
    make: str
    oldest: int = 1
    error: type[MeDatasetsError] = MeDatasetsError


@dataclass(frozen=True)
class NewFolder:
    """A folder that is being written: its temporary path, and what its JSON file will say in addition."""

    path: Path
    about: dict[str, Any] = field(default_factory=dict)

    def take(self, folder: Path, staying: Iterable[Path] = ()) -> None:
        """Move a folder that was filled beside it into it, but for those files in it that shall stay where they are.

        Raises:
            OSError: it cannot be moved.
        """
        folder.rename(self.path / folder.name)
        for path in staying:
            path.parent.mkdir(parents=True, exist_ok=True)
            (self.path / path.relative_to(folder.parent)).rename(path)


@contextmanager
def new_folder(out: Path, kind: Kind, *, force: bool = False) -> Iterator[NewFolder]:
    """A folder to fill, which is put in its place when the block ends without an error and removed otherwise.

    A symbolic link stays, and what it points at is replaced.

    Raises:
        OutputError: ``out`` exists and may not be replaced, see `may_replace`.
        WriteError: it cannot be written, or the disk is full; what was there before stays.
    """
    # Path.resolve would raise where a link leads to itself; links in the folders above are kept
    place = Path(os.path.realpath(out) if out.is_symlink() else os.path.abspath(out))  # noqa: PTH100
    clear(place)
    may_replace(out, kind, force)
    with _writing(out, f"the {kind.noun} cannot be written"), _parent(place), _temporary_folder(place) as temporary:
        new = NewFolder(temporary)
        yield new
        about = header(kind) | new.about | header(kind)  # first in the file, and not overwritten
        about["files"] = {name: checksum(temporary / name) for name in _files(temporary)}
        content = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
        (temporary / kind.about).write_text(content, encoding="utf-8")
        _flush(temporary)
        temporary.chmod(0o777 & ~_umask())
        _put(temporary, place)


def header(kind: Kind) -> dict[str, Any]:
    """How the JSON file of every folder begins: kind, format and tool."""
    return {"kind": kind.name, "format": kind.format, "tool": {"name": TOOL, "version": __version__}}


def may_replace(out: Path, kind: Kind, force: bool) -> None:
    """Refuse a place that is taken by something else than a folder of this kind, or by one that may not be replaced.

    Raises:
        OutputError: the place is taken; with ``force``, only if it is not such a folder or has other files in it.
    """
    if not os.path.lexists(out):
        return
    mount = os.path.ismount(os.path.realpath(out))
    if mount or (out.is_dir() and out.samefile(Path.cwd())):
        what = "the top of a disk" if mount else "the current folder"
        raise OutputError(f"the output is {what}, which cannot be replaced", where=str(out), fix="name a folder in it")
    if out.is_dir() and not any(out.iterdir()):
        return
    about = _about(out, kind)
    if about is None:
        raise OutputError(f"the output exists and is not {_a(kind.noun)}", where=str(out), fix="choose another -o")
    if not force:
        raise OutputError(f"the {kind.noun} exists already", where=str(out), fix="add --force to replace it")
    listed = about.get("files")
    known = {kind.about, *listed} if isinstance(listed, dict) else {kind.about}
    if foreign := [name for name in _files(out) if name not in known and not is_lock(name.rpartition("/")[2])]:
        raise OutputError(
            f"the folder contains other files, which would be lost: {', '.join(foreign[:5])}",
            where=str(out),
            fix="move them elsewhere, or choose another -o",
        )


def read_about(folder: Path, *kinds: Kind) -> dict[str, Any]:
    """The content of the JSON file of a folder of one of some kinds; its ``kind`` says which.

    Raises:
        MeDatasetsError: of the type of the first kind: there is no such folder, it is of another kind, its file is
            damaged, or its format is too old or too new for this version.
    """
    first = kinds[0]
    kind = next((kind for kind in kinds if (folder / kind.about).is_file()), None)
    if kind is None:
        reason = f"there is no {first.about} in it" if folder.is_dir() else "there is no such folder"
        raise first.error(f"not {_a(first.noun)}: {reason}", where=str(folder), fix=f"make one with {first.make}")
    try:
        about = read_json(folder / kind.about)
        tool, version, name = about["tool"]["name"], about["format"], about["kind"]
        if tool != TOOL or not isinstance(version, int):
            raise ValueError(f"its format is {version} of {tool}")
        if not isinstance(about["tool"]["version"], str):
            raise ValueError("the version of the tool is not a text")
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise first.error(
            f"the {kind.noun} is damaged: {kind.about}: {reason}",
            where=str(folder),
            fix=f"make it again with {kind.make}",
        ) from error
    named = next((kind for kind in kinds if kind.name == name), None)
    if named is None:
        raise first.error(f"this is a folder of the kind '{name}', not {_a(first.noun)}", where=str(folder))
    _readable(folder, named, version)
    return dict(about)


def _readable(folder: Path, kind: Kind, version: int) -> None:
    if version > kind.format:
        reads, fix = kind.format, "install a newer me-datasets"
    elif version < kind.oldest:
        reads, fix = kind.oldest, f"make it again with {kind.make}"
    else:
        return
    message = f"the {kind.noun} has format {version}, this version reads {reads}"
    raise kind.error(message, where=str(folder), fix=fix)


def claim(out: Path, kind: Kind) -> bool:
    """Whether a folder that is filled by several runs exists already; what a killed run left in it is removed.

    The caller writes its JSON file, which begins with `header`, before any other file.

    Raises:
        OutputError: the place is taken by something else.
    """
    clear(out / kind.about)
    if (out / kind.about).is_file():
        clear_below(out)
        return True
    if os.path.lexists(out) and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"the output exists and is not {_a(kind.noun)}", where=str(out), fix="choose another -o")
    return False


def may_write(path: Path | None, force: bool) -> None:
    """Refuse a file that exists, unless it is to be replaced.

    Raises:
        OutputError: it exists.
    """
    if path is not None and os.path.lexists(path) and not force:
        raise OutputError("the file exists already", where=str(path), fix="add --force to replace it")


def write_file(path: Path, content: bytes) -> None:
    """Write a file, or replace it.

    Raises:
        WriteError: the place cannot be written to, or the disk is full; what was there before stays.
    """
    with new_file(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A file to fill, which is put in its place when the block ends without an error and removed otherwise.

    Raises:
        WriteError: the place cannot be written to, or the disk is full; what was there before stays.
    """
    clear(path)
    with _writing(path, "the file cannot be written"), _parent(path), _temporary_file(path) as temporary:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        _fsync(temporary)
        temporary.replace(path)
        _fsync(path.parent)


def clear(target: Path) -> None:
    """Put back or remove what a killed run left beside a target; what another run is writing now stays."""
    if not target.parent.is_dir():
        return
    temporary = re.compile(rf"{re.escape(_prefix(target))}\w{{8}}({_UNFINISHED}|{_REPLACED})")
    with os.scandir(target.parent) as entries:
        left = [Path(entry.path) for entry in entries if temporary.fullmatch(entry.name)]
    for path in left:
        if path.name.endswith(_REPLACED) and not os.path.lexists(target):
            path.rename(target)
        else:
            _remove_if_left(path)


@contextmanager
def _parent(target: Path) -> Iterator[None]:
    """Create the folders above a target; those created are removed again if the block fails."""
    if target.parent.exists() and not target.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))  # mkdir would say that it exists
    missing = list(itertools.takewhile(lambda folder: not folder.exists(), target.parents))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with suppress(OSError):  # another process has put something in it
                folder.rmdir()
        raise


def clear_below(folder: Path) -> None:
    """Remove what killed runs left anywhere under a folder."""
    temporary = re.compile(rf"\..+\.\w{{8}}{_UNFINISHED}")
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            if temporary.fullmatch(name):
                _remove_if_left(Path(place, name))


def _prefix(target: Path) -> str:
    """The beginning of a target's temporary names; a long name is cut and ends in a hash instead."""
    name = target.name
    if len(os.fsencode(name)) > _LONGEST:
        name = f"{name[: _LONGEST // 8]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return f".{name}."


@contextmanager
def _temporary_folder(target: Path) -> Iterator[Path]:
    path, held = _temporary_name(target), None
    try:  # with a name that is known before: Ctrl-C may come as soon as the folder is there
        while held is None:
            path.mkdir(0o700)
            held = _hold(path)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        if held is not None:
            os.close(held)


@contextmanager
def _temporary_file(target: Path) -> Iterator[Path]:
    path, held = _temporary_name(target), None
    try:
        while held is None:
            path.touch(0o600, exist_ok=False)
            held = _hold(path)
        yield path
    finally:
        if held is not None:
            os.close(held)
        path.unlink(missing_ok=True)


def _temporary_name(target: Path) -> Path:
    return target.parent / f"{_prefix(target)}{secrets.token_hex(4)}{_UNFINISHED}"


def _hold(path: Path) -> int | None:
    """Lock a temporary file or folder, so that no other process takes it for a leftover of a killed one.

    Returns:
        The descriptor, to be closed; None where another process has just removed it. On Windows, where a file in use
        cannot be removed, nothing is locked.
    """
    if sys.platform == "win32":
        return os.open(os.devnull, os.O_RDONLY)
    with suppress(FileNotFoundError):
        held = os.open(path, os.O_RDONLY)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists():
            return held
        os.close(held)
    return None


def _remove_if_left(path: Path) -> None:
    """Remove a temporary file or folder, unless a process still works on it or that cannot be known."""
    if path.is_symlink():
        return
    if sys.platform == "win32":
        with suppress(OSError):
            path.unlink()
        return
    with suppress(OSError):
        held = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
        finally:
            os.close(held)


def _put(temporary: Path, out: Path) -> None:
    """Put a finished folder in its place; what was there is then under the temporary name, or removed."""
    if not out.exists():
        temporary.rename(out)
    elif not _exchange(temporary, out):
        replaced = Path(str(temporary).removesuffix(_UNFINISHED) + _REPLACED)
        try:
            out.rename(replaced)
            temporary.rename(out)
        except BaseException:
            if replaced.exists() and not out.exists():
                replaced.rename(out)
            raise
        shutil.rmtree(replaced, ignore_errors=True)
    _fsync(out.parent)


def _exchange(first: Path, second: Path) -> bool:
    """Swap the names of two folders in one step; False where the system cannot.

    Linux has ``renameat2`` with ``RENAME_EXCHANGE`` (2), macOS ``renamex_np`` with ``RENAME_SWAP`` (2).
    """
    sys.audit("os.rename", str(first), str(second))
    names = os.fsencode(first), os.fsencode(second)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(*names, 2)
        else:
            here = -100  # AT_FDCWD: paths begin at the working folder
            failed = library.renameat2(here, names[0], here, names[1], 2)
    except (OSError, AttributeError, TypeError):
        return False
    if failed and ctypes.get_errno() not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), str(second))
    return not failed


@contextmanager
def _writing(place: Path, what: str) -> Iterator[None]:
    """Report failures to write with the place the user gave, not with a temporary name."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"{what}: {error.strerror or error}", where=str(place)) from error
    except WriteError as error:
        raise WriteError(f"{what}: {error.what.rpartition(': ')[2]}", where=str(place)) from error


def _about(folder: Path, kind: Kind) -> dict[str, Any] | None:
    """The content of the JSON file of a folder of this kind, None for any other folder."""
    try:
        about = read_json(folder / kind.about)
        ours = about["tool"]["name"] == TOOL and about["kind"] == kind.name
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(about) if ours else None


def _files(folder: Path) -> list[str]:
    """The paths of the files in a folder and below, relative to it; links count as files."""
    paths = [
        Path(place, name).relative_to(folder).as_posix()
        for place, folders, files in os.walk(folder)
        for name in (*files, *(name for name in folders if Path(place, name).is_symlink()))
    ]
    return sorted(paths)


def _flush(folder: Path) -> None:
    """Flush a folder to the disk, before it is put in its place."""
    files = [folder / name for name in _files(folder)]
    if len(files) > _EACH and _sync_all(folder):
        return
    for path in files:
        _fsync(path)
    _fsync(folder)


def _sync_all(folder: Path) -> bool:
    """Flush the file system that a folder lies on; False where the system has no call for that."""
    if not sys.platform.startswith("linux"):
        return False
    place = os.open(folder, os.O_RDONLY)
    try:
        return not ctypes.CDLL(None).syncfs(place)
    except (OSError, AttributeError):
        return False
    finally:
        os.close(place)


def _fsync(path: Path) -> None:
    if sys.platform == "win32" and path.is_dir():
        return  # folders cannot be opened there
    place = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _umask() -> int:
    """The permissions that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
