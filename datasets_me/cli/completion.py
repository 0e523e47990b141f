"""What the shell offers for an argument: datasets, schemas of image sets, and codes of findings."""

from __future__ import annotations

from pathlib import Path


def datasets(incomplete: str) -> list[str]:
    """The ids of datasets, and schemas (.yaml) in the file system."""
    from datasets_me.core.resources import schema_files

    return _fitting([path.stem for path in schema_files()], incomplete) + _files(incomplete)


def image_schemas(incomplete: str) -> list[str]:
    """The ids of schemas of image sets, and schemas (.yaml) in the file system."""
    from datasets_me.core.resources import image_schema_files

    return _fitting([path.stem for path in image_schema_files()], incomplete) + _files(incomplete)


def all_schemas(incomplete: str) -> list[str]:
    """The ids of datasets and of schemas of image sets, and schemas (.yaml) in the file system."""
    return list(dict.fromkeys([*datasets(incomplete), *image_schemas(incomplete)]))


def codes(incomplete: str) -> list[tuple[str, str]]:
    """The codes of findings, each with its name."""
    from datasets_me.findings.codes import all_codes

    return [(entry.code, entry.name) for entry in all_codes().values() if entry.code.startswith(incomplete)]


def selected_codes(incomplete: str) -> list[str]:
    """The same where several may be given, separated by commas."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{code}" for code, _ in codes(last)]


def _fitting(names: list[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _files(incomplete: str) -> list[str]:
    """Schemas whose path begins like this, and folders, in which they may lie."""
    start = Path(incomplete)
    folder, beginning = (start, "") if incomplete.endswith(("/", "\\")) else (start.parent, start.name)
    if not folder.is_dir() or not incomplete:
        return []
    there = sorted(path for path in folder.iterdir() if path.name.startswith(beginning))
    return [f"{path}/" if path.is_dir() else str(path) for path in there if path.is_dir() or path.suffix == ".yaml"]
