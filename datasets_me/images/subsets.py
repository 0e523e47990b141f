"""Which of several sets that are delivered together is imported, and which files are those of the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence, Set
from pathlib import Path

from datasets_me.core.errors import ImagesError
from datasets_me.core.pictures import is_image_name
from datasets_me.findings.finding import Finding, finding
from datasets_me.schema.images import ImageSpec


def choose(spec: ImageSpec, wanted: str | None, root: Path, paths: Sequence[str]) -> str | None:
    """The name of the subset to import; None for a schema without subsets.

    Args:
        spec: the schema.
        wanted: the subset that the user named.
        root: the folder that is imported.
        paths: of the files under it.

    Raises:
        ImagesError: there is no such subset; or none was asked for, and the folders do not say which one it is.
    """
    if wanted is not None and wanted not in spec.subsets:
        known = f"it has {' and '.join(spec.subsets)}" if spec.subsets else "leave --subset out"
        raise ImagesError(f"the schema {spec.id} has no subset '{wanted}'", fix=known)
    if not spec.subsets:
        return None
    present = sorted({name for path in paths if (name := subset_of(spec, path)) is not None})
    if not present:
        _refuse_several_lists(spec, root, paths)
        # the source may be the folder of a subset itself, or lie in it
        above = (_named(spec, {part.casefold()}) for part in reversed(root.resolve().parts))
        present = [name for name in above if name is not None][:1]
    if wanted in present or (wanted is not None and not present):
        return wanted
    if wanted is None and len(present) == 1:
        return present[0]
    if wanted is not None:
        raise ImagesError(f"the folder holds no subset {wanted}, but {' and '.join(present)}", where=str(root))
    holds = f"the folder holds the subsets {' and '.join(present)}"
    if not present:
        holds = "nothing says which subset the folder holds"
    asks = " or ".join(f"--subset {name}" for name in spec.subsets)
    raise ImagesError(f"{holds}; their labels mean different things", where=str(root), fix=f"give {asks}")


def subset_of(spec: ImageSpec, path: str) -> str | None:
    """The subset that a path belongs to by the deepest of its folders that names one.

    A folder names a subset by its whole name or by one of its words, as ``RAF-DB_compound`` does.
    """
    for folder in reversed(path.casefold().split("/")[:-1]):
        if (name := _named(spec, {folder, *re.findall(r"[^\W_]+", folder)})) is not None:
            return name
    return None


def only(
    spec: ImageSpec, chosen: str | None, paths: Sequence[str], findings: list[Finding]
) -> tuple[list[str], Counter[str]]:
    """The paths that belong to the chosen subset, and how many belong to each of the others.

    Files in no subset's folder are those of the chosen subset where none has a folder. Else a list beside the folders
    counts unless the subset has one of that name itself; nobody knows what an image there means.

    Findings: ME706 an image, or a list of labels, lies in no subset's folder.
    """
    subset = {path: subset_of(spec, path) for path in paths} if spec.subsets else {}
    others = Counter(name for name in subset.values() if name not in (None, chosen))
    if all(name is None for name in subset.values()):
        return list(paths), others
    within = {_file_name(path) for path, name in subset.items() if name == chosen}
    kept: list[str] = []
    for path, name in subset.items():
        if name == chosen:
            kept.append(path)
        elif name is None and (is_image_name(path.rpartition("/")[2]) or _file_name(path) in within):
            folders = " or ".join(folder for each in spec.subsets.values() for folder in each.folders)
            why = f"the file is not used: it lies in no folder of a subset ({folders})"
            findings.append(finding("ME706", why, path=path))
        elif name is None:
            kept.append(path)
    return kept, others


def _named(spec: ImageSpec, words: Set[str]) -> str | None:
    """The one subset that one of these words names."""
    names = [name for name, subset in spec.subsets.items() if words & {folder.casefold() for folder in subset.folders}]
    return names[0] if len(names) == 1 else None


def _refuse_several_lists(spec: ImageSpec, root: Path, paths: Sequence[str]) -> None:
    """Two lists of labels are those of two subsets, or of two copies of one.

    Raises:
        ImagesError: there are two.
    """
    rule = spec.files.label_list if spec.files else None
    names = {name.casefold() for name in rule.files} if rule else set()
    lists = [path for path in paths if _file_name(path) in names]
    if len(lists) > 1:
        raise ImagesError(
            f"there are {len(lists)} lists of labels, and nothing says which subset each belongs to: "
            + ", ".join(lists),
            where=str(root),
            fix="give the folder of one subset as the source, with --subset",
        )


def _file_name(path: str) -> str:
    return path.rpartition("/")[2].casefold()
