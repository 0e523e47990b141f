"""me-datasets: from a workbook and folders of frames to a dataset that trains.

The names below are imported when they are first used, so that ``import datasets_me`` costs nothing::

    import datasets_me as me

    schema = me.load_schema("casme2")
    manifest = me.convert(schema, Path("CASME2-coding-20140508.xlsx")).manifest()
    me.write_manifest(manifest, Path("casme2-manifest"))
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

from datasets_me.core.version import __version__

if TYPE_CHECKING:
    from datasets_me.convert.action_units import read_action_units
    from datasets_me.convert.convert import convert
    from datasets_me.convert.decided import decide
    from datasets_me.convert.diff import compare
    from datasets_me.core.errors import MeDatasetsError
    from datasets_me.export.clips import ClipOptions, write_clips
    from datasets_me.export.options import SegmentOptions
    from datasets_me.export.segments import write_segments
    from datasets_me.export.trace import trace
    from datasets_me.extract.extract import extract
    from datasets_me.extract.options import ExtractOptions
    from datasets_me.features.video import VideoOptions, extract_video
    from datasets_me.findings.finding import Finding
    from datasets_me.folders.check import check, with_folders
    from datasets_me.formats.decisions import Decision
    from datasets_me.formats.decisions import append as append_decisions
    from datasets_me.formats.decisions import read as read_decisions
    from datasets_me.formats.features import read as read_features
    from datasets_me.formats.manifest import Manifest
    from datasets_me.formats.manifest import read as read_manifest
    from datasets_me.formats.manifest import write as write_manifest
    from datasets_me.formats.records import ActionUnit, Annotation, Video
    from datasets_me.schema.schema_files import load as load_schema
    from datasets_me.schema.spec import Spec
    from datasets_me.synthetic.write import make as make_synthetic

_LAZY = {
    "ActionUnit": ("formats.records", "ActionUnit"),
    "Annotation": ("formats.records", "Annotation"),
    "ClipOptions": ("export.clips", "ClipOptions"),
    "Decision": ("formats.decisions", "Decision"),
    "ExtractOptions": ("extract.options", "ExtractOptions"),
    "Finding": ("findings.finding", "Finding"),
    "Manifest": ("formats.manifest", "Manifest"),
    "MeDatasetsError": ("core.errors", "MeDatasetsError"),
    "SegmentOptions": ("export.options", "SegmentOptions"),
    "Spec": ("schema.spec", "Spec"),
    "VideoOptions": ("features.video", "VideoOptions"),
    "Video": ("formats.records", "Video"),
    "append_decisions": ("formats.decisions", "append"),
    "check": ("folders.check", "check"),
    "compare": ("convert.diff", "compare"),
    "convert": ("convert.convert", "convert"),
    "decide": ("convert.decided", "decide"),
    "extract": ("extract.extract", "extract"),
    "extract_video": ("features.video", "extract_video"),
    "load_schema": ("schema.schema_files", "load"),
    "make_synthetic": ("synthetic.write", "make"),
    "read_action_units": ("convert.action_units", "read_action_units"),
    "read_decisions": ("formats.decisions", "read"),
    "read_features": ("formats.features", "read"),
    "read_manifest": ("formats.manifest", "read"),
    "trace": ("export.trace", "trace"),
    "with_folders": ("folders.check", "with_folders"),
    "write_clips": ("export.clips", "write_clips"),
    "write_manifest": ("formats.manifest", "write"),
    "write_segments": ("export.segments", "write_segments"),
}

__all__ = [
    "ActionUnit",
    "Annotation",
    "ClipOptions",
    "Decision",
    "ExtractOptions",
    "Finding",
    "Manifest",
    "MeDatasetsError",
    "SegmentOptions",
    "Spec",
    "Video",
    "VideoOptions",
    "__version__",
    "append_decisions",
    "check",
    "compare",
    "convert",
    "decide",
    "extract",
    "extract_video",
    "load_schema",
    "make_synthetic",
    "read_action_units",
    "read_decisions",
    "read_features",
    "read_manifest",
    "trace",
    "with_folders",
    "write_clips",
    "write_manifest",
    "write_segments",
]


class _Package(types.ModuleType):
    """Gives the public names when they are asked for, and keeps rooms of the same name out of their place."""

    def __getattr__(self, name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module 'datasets_me' has no attribute '{name}'")
        module, attribute = _LAZY[name]
        return getattr(importlib.import_module(f"datasets_me.{module}"), attribute)

    def __setattr__(self, name: str, value: object) -> None:
        if name in _LAZY and isinstance(value, types.ModuleType):
            return  # importing datasets_me.convert would put the module where the function is expected
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
