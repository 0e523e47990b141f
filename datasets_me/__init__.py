"""me-datasets: from a workbook and folders of frames to a dataset that trains.

The names below are imported when they are first used, so that ``import datasets_me`` costs nothing::

    import datasets_me as me

    schema = me.load_schema("casme2")
    manifest = me.convert(schema, Path("CASME2-coding-20140508.xlsx")).manifest()
    me.write_manifest(manifest, Path("casme2-manifest"))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from datasets_me.convert.action_units import read_action_units
    from datasets_me.convert.convert import convert
    from datasets_me.convert.diff import compare
    from datasets_me.errors import MeDatasetsError
    from datasets_me.export.clips import ClipOptions, write_clips
    from datasets_me.export.options import Options as SegmentOptions
    from datasets_me.export.segments import write_segments
    from datasets_me.export.trace import trace
    from datasets_me.feature_files import read as read_features
    from datasets_me.features.video import extract_video
    from datasets_me.manifest import Manifest
    from datasets_me.manifest import read as read_manifest
    from datasets_me.manifest import write as write_manifest
    from datasets_me.records import ActionUnit, Annotation, Finding, Video
    from datasets_me.run.extract import extract
    from datasets_me.run.options import ExtractOptions
    from datasets_me.schema_files import load as load_schema
    from datasets_me.spec import Spec
    from datasets_me.synthetic.write import make as make_synthetic
    from datasets_me.validate.check import check, with_folders

_LAZY = {
    "ActionUnit": ("records", "ActionUnit"),
    "Annotation": ("records", "Annotation"),
    "ClipOptions": ("export.clips", "ClipOptions"),
    "ExtractOptions": ("run.options", "ExtractOptions"),
    "Finding": ("records", "Finding"),
    "Manifest": ("manifest", "Manifest"),
    "MeDatasetsError": ("errors", "MeDatasetsError"),
    "SegmentOptions": ("export.options", "Options"),
    "Spec": ("spec", "Spec"),
    "Video": ("records", "Video"),
    "check": ("validate.check", "check"),
    "compare": ("convert.diff", "compare"),
    "convert": ("convert.convert", "convert"),
    "extract": ("run.extract", "extract"),
    "extract_video": ("features.video", "extract_video"),
    "load_schema": ("schema_files", "load"),
    "make_synthetic": ("synthetic.write", "make"),
    "read_action_units": ("convert.action_units", "read_action_units"),
    "read_features": ("feature_files", "read"),
    "read_manifest": ("manifest", "read"),
    "trace": ("export.trace", "trace"),
    "with_folders": ("validate.check", "with_folders"),
    "write_clips": ("export.clips", "write_clips"),
    "write_manifest": ("manifest", "write"),
    "write_segments": ("export.segments", "write_segments"),
}

__all__ = [
    "ActionUnit",
    "Annotation",
    "ClipOptions",
    "ExtractOptions",
    "Finding",
    "Manifest",
    "MeDatasetsError",
    "SegmentOptions",
    "Spec",
    "Video",
    "__version__",
    "check",
    "compare",
    "convert",
    "extract",
    "extract_video",
    "load_schema",
    "make_synthetic",
    "read_action_units",
    "read_features",
    "read_manifest",
    "trace",
    "with_folders",
    "write_clips",
    "write_manifest",
    "write_segments",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'datasets_me' has no attribute '{name}'")
    module, attribute = _LAZY[name]
    return getattr(importlib.import_module(f"datasets_me.{module}"), attribute)
