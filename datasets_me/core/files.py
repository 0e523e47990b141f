"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

from datasets_me.core.errors import MeDatasetsError, WriteError

TOOL = "me-datasets"
"""The name by which files say what wrote them."""


def write_file(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it, then rename it into place.

    Raises:
        WriteError: the place cannot be written to, or the disk is full; what was there before stays.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.{_process()}.", suffix=_UNFINISHED, dir=path.parent)
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~umask())
        temporary.replace(path)
    except OSError as error:
        raise WriteError(f"the file cannot be written: {error.strerror or error}", where=str(path)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def new_folder(folder: Path, what: str) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place when the work is done, and is gone if it fails.

    Whether what is there may be replaced is for the caller to ask before. A symbolic link stays, and what it points
    at is replaced.

    Args:
        what: what is written, for the message of an error: "manifest".

    Raises:
        WriteError: the place cannot be written to, or the disk is full; what was there before stays.
    """
    if folder.is_symlink():
        folder = folder.resolve()
    temporary: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        yield temporary
        replace_folder(temporary, folder)
    except OSError as error:
        raise WriteError(f"the {what} cannot be written: {error.strerror or error}", where=str(folder)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def replace_folder(temporary: Path, folder: Path) -> None:
    """Put a folder that was made under a temporary name in the place of another, or of none.

    Raises:
        OSError: one of them cannot be renamed.
    """
    temporary.chmod(0o777 & ~umask())
    if folder.exists():
        replaced = temporary.with_name(temporary.name + ".old")
        folder.rename(replaced)
        temporary.rename(folder)
        shutil.rmtree(replaced)
    else:
        temporary.rename(folder)


def made_here(path: Path) -> bool:
    """Whether a JSON file says that this tool wrote it, and with it the folder it lies in."""
    try:
        about = read_json(path)
    except (OSError, ValueError):
        return False
    return isinstance(about, dict) and isinstance(about.get("tool"), dict) and about["tool"].get("name") == TOOL


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes of this machine that lock the same file out; without effect on Windows."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:20]
    with (Path(tempfile.gettempdir()) / f"me-datasets-{name}.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_regular(path: Path, most: int | None = None) -> bytes:
    """The content of a file; reading a pipe or a device would never end.

    Args:
        path: the file.
        most: bytes; a file with more is not read.

    Raises:
        OSError: it cannot be read, is no regular file, or is too large.
    """
    size = check_regular(path)
    if most is not None and size > most:
        raise OSError(errno.EFBIG, f"it has {size:,} bytes; files of more than {most:,} are not read")
    return path.read_bytes()


def check_regular(path: Path) -> int:
    """The size of a file in bytes; opening a pipe would wait for a writer.

    Raises:
        OSError: there is no such file, or it is no regular one.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return status.st_size


MOST_JSON = 100_000_000  # bytes; lists of files of the largest sets have some ten million


def read_json(path: Path, most: int = MOST_JSON) -> Any:
    """What a JSON file says.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger than ``most`` bytes.
        ValueError: it is no JSON in UTF-8, or nested too deeply.
    """
    content = read_regular(path, most)
    try:
        return json.loads(content.decode("utf-8-sig"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def checksum(path: Path) -> str:
    """The SHA-256 of a file, which is read piece by piece.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_leftovers(path: Path) -> None:
    """Remove what a killed `write_file` left beside a file that is now written anew; not what one is writing now."""
    for leftover in path.parent.glob(f".{escape(path.name)}.*-*.*{_UNFINISHED}"):
        host, _, number = leftover.name.removeprefix(f".{path.name}.").split(".")[0].partition("-")
        if host == _host() and number.isdecimal() and not _runs(int(number)):
            leftover.unlink(missing_ok=True)


_UNFINISHED = ".unfinished"


def _process() -> str:
    """This process, as temporary files name it: other machines may write to the same folder."""
    return f"{_host()}-{os.getpid()}"


def _host() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _runs(process: int) -> bool:
    if process == os.getpid():
        return False  # whatever this process began to write, it has ended
    if os.name == "nt":
        return True  # there, signal 0 is Ctrl-C
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def umask() -> int:
    """The permissions that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


MARK = "me-datasets.json"
"""The file by which a folder is known as one of ours; it lists all others."""


@contextmanager
def marked_folder(folder: Path, made: str, *, force: bool = False) -> Iterator[Path]:
    """A folder to fill: under a temporary name beside its place, and renamed when the block ends without an error.

    ``made`` says what it is (``"scores"``); it stands in the folder's :data:`MARK`, with the names of all files, so
    that ``force`` replaces what was made here and never a file of the user's.

    Raises:
        MeDatasetsError: the folder exists already, or holds what is not ours.
        WriteError: it cannot be written.
    """
    if folder.exists():
        _may_replace(folder, made, force)
    with new_folder(folder, f"folder of {made}") as temporary:
        yield temporary
        names = sorted(path.relative_to(temporary).as_posix() for path in temporary.rglob("*") if path.is_file())
        about = {"tool": "me-datasets", "made": made, "files": names}
        (temporary / MARK).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _may_replace(folder: Path, made: str, force: bool) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    try:
        about = read_json(folder / MARK)
        known = {MARK, *about["files"]} if about["made"] == made else set()
    except (OSError, ValueError, KeyError, TypeError):
        known = set()
    if not known:
        raise MeDatasetsError(f"the output exists and is no folder of {made}", where=str(folder), fix="choose another")
    if not force:
        raise MeDatasetsError("the output exists already", where=str(folder), fix="add --force to replace it")
    there = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if not path.is_dir())
    foreign = [name for name in there if name not in known]
    if foreign:
        raise MeDatasetsError(
            f"the folder holds other files, which would be lost: {', '.join(foreign[:5])}",
            where=str(folder),
            fix="put them elsewhere, or choose another output",
        )
