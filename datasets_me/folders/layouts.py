"""Which video or expression a folder is, by the layouts of a schema."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from datasets_me.core.frame_names import Frames
from datasets_me.core.frames import VideoError, VideoFacts, VideoFile
from datasets_me.core.text import same
from datasets_me.folders.walk import Leaf, Tree
from datasets_me.formats.records import Annotation
from datasets_me.schema import naming
from datasets_me.schema.naming import Identity
from datasets_me.schema.patterns import Matcher
from datasets_me.schema.spec import Layout, Relocation, Spec
from datasets_me.schema.template import DIGITS, Template

Key = tuple[str, str, str | None]


def key_of(layout: Layout, video: str, expression: str | None) -> Key:
    """What a folder of a layout shows, in lower case: layout, video, and the expression unless it is a whole video."""
    part = expression.casefold() if layout.holds == "expression" and expression else None
    return (layout.id, video.casefold(), part)


def tie(layouts: Iterable[Layout], annotations: Iterable[Annotation]) -> dict[Key, list[Annotation]]:
    """Annotations by the folders that show them, for several layouts at once.

    An annotation without an expression cannot be tied to a layout of expressions.
    """
    tied: dict[Key, list[Annotation]] = {}
    rows = list(annotations)
    for layout in layouts:
        for row in rows:
            if layout.holds == "video" or row.expression:
                tied.setdefault(key_of(layout, row.video, row.expression), []).append(row)
    return tied


@dataclass(frozen=True)
class Folder:
    """A folder of frames, or a video file, that fits a layout.

    ``path`` is relative to the root; ``base`` is the part of it above the layout's template, ``local`` the rest.
    ``values`` are the fields of its name and what follows from them, ``belongs`` is ``local`` as the template would
    write it. ``disagreements`` are fields that the folders above give another value than the folder's own name: their
    value, and that of the name. ``relocation`` is the schema's entry about the folder. ``suffix`` is that of a video
    file, with its full stop; ``facts`` is what the file says, or ``fault`` why it cannot be opened.
    """

    path: str
    layout: Layout
    identity: Identity
    frames: Frames
    base: str
    local: str
    values: dict[str, str]
    belongs: str
    disagreements: dict[str, tuple[str, str]]
    relocation: Relocation | None = None
    suffix: str = ""
    facts: VideoFacts | None = None
    fault: str | None = None

    @property
    def mislocated(self) -> bool:
        """Whether its name and the folders above it disagree."""
        return bool(self.disagreements)

    @property
    def reaches_above_root(self) -> bool:
        """Whether part of what the template matched lies above the root, so that no path can be given for it."""
        return self.path.count("/") < self.local.count("/")

    @property
    def target(self) -> str:
        """The path this folder should have, relative to the root."""
        local = self.relocation.belongs if self.relocation else self.belongs
        return f"{self.base}/{local}{self.suffix}" if self.base else f"{local}{self.suffix}"

    @property
    def key(self) -> Key:
        """What it shows."""
        return key_of(self.layout, self.identity.video, self.identity.expression)


@dataclass(frozen=True)
class Inventory:
    """The folders of a tree that fit a layout, and those with frames that fit none."""

    tree: Tree
    folders: tuple[Folder, ...]
    unknown: tuple[Leaf, ...]

    @cached_property
    def by_key(self) -> Mapping[Key, tuple[Folder, ...]]:
        """Folders by what they show, those in the right place first."""
        by_key: dict[Key, list[Folder]] = {}
        for folder in sorted(self.folders, key=lambda folder: (folder.mislocated, folder.path)):
            by_key.setdefault(folder.key, []).append(folder)
        return {key: tuple(folders) for key, folders in by_key.items()}

    @property
    def layouts(self) -> tuple[str, ...]:
        """The layouts that occur, in order of name."""
        return tuple(sorted({folder.layout.id for folder in self.folders}))


def match_layouts(spec: Spec, tree: Tree, *, relocations: bool = True) -> Inventory:
    """Match every leaf of a tree with a layout of the schema.

    ``relocations=False`` leaves the schema's relocations out; misplaced folders are then only detected.
    """
    above = tuple(tree.root.resolve().parts[1:])
    compiled = [(layout, Template(layout.folder).matcher(spec.names.patterns)) for layout in spec.layouts]
    folders, unknown = [], []
    for leaf in tree.leaves:
        folder = _match_leaf(spec, compiled, above, leaf, spec.relocations if relocations else ())
        if folder:
            folders.append(_with_facts(folder, tree.root) if leaf.is_file else folder)
        elif leaf.frames.numbers or leaf.is_file:
            unknown.append(leaf)
    return Inventory(tree, tuple(folders), tuple(unknown))


def _match_leaf(
    spec: Spec,
    compiled: Iterable[tuple[Layout, Matcher]],
    above: tuple[str, ...],
    leaf: Leaf,
    relocations: Iterable[Relocation],
) -> Folder | None:
    place, suffix = leaf.path, ""
    if leaf.is_file:
        place, _, suffix = leaf.path.rpartition(".")
    parts = [*above, *(place.split("/") if place != "." else [])]
    candidates = []
    for layout, pattern in compiled:
        if layout.video_files != leaf.is_file:
            continue
        depth = layout.folder.count("/") + 1
        local = "/".join(parts[-depth:])
        fields = pattern.fields(local)
        if fields is not None and (identity_and_values := _identify(spec, fields)):
            rank = (_lies_under(layout, parts[:-depth]), _named_like(spec, layout, leaf.frames))
            candidates.append((rank, layout, local, identity_and_values, fields))
    if not candidates:
        return None
    # max takes the first of equals, which is the schema's first.
    _, layout, local, (identity, values), fields = max(candidates, key=lambda candidate: candidate[0])
    depth = local.count("/") + 1
    base = "/".join(leaf.path.split("/")[:-depth])
    relocation = next(
        (r for r in relocations if r.layout == layout.id and r.found.casefold() == local.casefold()), None
    )
    return Folder(
        path=leaf.path,
        layout=layout,
        identity=identity,
        frames=leaf.frames,
        base=base,
        local=local,
        values=values,
        belongs=Template(layout.folder).render(values),
        disagreements=_disagreements(fields),
        relocation=relocation,
        suffix=f".{suffix}" if suffix else "",
    )


def _with_facts(folder: Folder, root: Path) -> Folder:
    """A video file with what it says of itself, and its frames by number."""
    try:
        with VideoFile(root / folder.path) as video:
            facts = video.facts
    except VideoError as error:
        return replace(folder, fault=error.what)
    first = folder.layout.base
    return replace(folder, facts=facts, frames=Frames(numbers=tuple(range(first, first + facts.frames))))


def _identify(spec: Spec, fields: Mapping[str, str]) -> tuple[Identity, dict[str, str]] | None:
    of_name = {name: value for name, value in fields.items() if "__" not in name}
    known = naming.derive(spec.names, of_name, canonical=True)
    identity = naming.identify(spec.names, known)
    return (identity, known) if identity else None


def _disagreements(groups: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Fields that a folder above gives another value than the folder's own name: the value above, and the name's."""
    return {
        name.partition("__")[0]: (value, groups[name.partition("__")[0]])
        for name, value in groups.items()
        if "__" in name and not same(value, groups[name.partition("__")[0]])
    }


def _lies_under(layout: Layout, parts: Sequence[str]) -> bool:
    names = {part.casefold() for part in parts}
    return any(name.casefold() in names for name in layout.under)


def _named_like(spec: Spec, layout: Layout, frames: Frames) -> bool:
    """Whether the first frame has a name as the layout's frames have them."""
    return bool(frames.names) and frame_matcher(spec, layout).fits(frames.names[0])


def frame_matcher(spec: Spec, layout: Layout) -> Matcher:
    """The pattern of the names of a layout's frames."""
    return Template(layout.frame).matcher({**spec.names.patterns, "frame": DIGITS})


def expected_path(spec: Spec, layout: Layout, annotation: Annotation) -> str | None:
    """The path, as the layout writes it, of the folder an annotation needs.

    None where the annotation does not say enough: a CSV without the names of expressions, say.
    """
    values = {"subject_name": annotation.subject, "video_name": annotation.video}
    if annotation.expression and spec.names.expression:
        values |= Template(spec.names.expression).matcher(spec.names.patterns).fields(annotation.expression) or {}
    try:
        return Template(layout.folder).render(naming.derive(spec.names, values))
    except KeyError:
        return None


def nearest_path(leaf: Leaf, paths: Iterable[str]) -> str | None:
    """The expected path that is most similar to the end of a folder's path, if any is."""
    best, nearest = 0.6, None
    matcher = difflib.SequenceMatcher()
    for path in paths:
        local = "/".join(leaf.path.split("/")[-path.count("/") - 1 :])
        matcher.set_seqs(local.casefold(), path.casefold())
        # Upper bounds first: they are cheap, and few paths get past them.
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and matcher.ratio() > best:
            best, nearest = matcher.ratio(), path
    return nearest
