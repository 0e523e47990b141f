"""The values that options may have, and defaults: for the stages that take them and for the command line.

There is nothing else in here, so that ``--help`` can name them without loading a stage.
"""

from __future__ import annotations

from typing import Literal

Severity = Literal["error", "warning", "info"]
"""Of a finding."""

Compat = Literal["auwgcn"]
"""A published reading of annotations that can be followed exactly."""

Distances = Literal["mean", "observed", "q95"]
"""How far from an apex its start and end are looked for: ``mean``, the published rule; ``observed``, from the least to
the greatest distance that occurs, and as far as ``mean`` at least; ``q95``, from the 5 % to the 95 % quantile.
"""

Protocol = Literal["loso", "kfold", "holdout", "cross-dataset", "megc2019"]
"""Who trains and who is tested."""

Unit = Literal["expression", "video"]
"""What a split deals out."""

EmotionLabel = Literal["emotion", "class_3", "class_5"]
"""The column of annotations that recognition predicts."""

LabelField = Literal["type", "emotion", "class_3", "class_5"]
"""The column of annotations whose classes a split may spread evenly."""

ExpressionType = Literal["micro", "macro"]
"""The length of an expression: up to half a second, or longer."""

Metric = Literal["uf1", "uar", "accuracy"]
"""What the weights of an ensemble maximise on validation."""

Preset = Literal["default", "tvl1", "auwgcn", "dis", "farneback"]
"""How features are computed; the names of ``features.video.PRESETS``."""

Head = Literal["rigid", "translation"]
"""What is taken for the motion of the head; the names of ``features.video.HEADS``."""

Detector = Literal["dlib", "haar", "yunet", "boxes", "published-crop"]
"""What finds faces; the names of ``features.faces.NAMES``."""

Device = Literal["auto", "cpu", "cuda"]
"""Where flow is computed."""

FlowMethod = Literal["lk", "tvl1", "dis", "farneback"]
"""How optical flow is computed."""

StrainDefinition = Literal["tensor", "half-inside", "forward", "backward", "sobel", "magnitude"]
"""Optical strain as published code computes it, see ``features.strain``."""

FlowPreset = Literal["default", "ststnet", "htnet", "mean", "softnet", "meb", "mmnet"]
"""How flow images are made; the names in ``export/flow_presets.yaml``."""

ItemFormat = Literal["npz", "webdataset", "parquet"]
"""How the items of an export are stored."""

ImageFormat = Literal["jpg", "png"]
"""The format of new image files."""

Colour = Literal["rgb", "grey"]
"""The channels of new image files."""

Region = Literal["face", "mouth", "eyes", "brows"]
"""The part of a face that is cut out; the names of ``images.geometry.REGIONS``."""

ImageExport = Literal["folders", "csv", "webdataset"]
"""What a set of images is exported as."""

KeepOne = Literal["largest", "sharpest", "agrees"]
"""The copy that stays: with the most pixels, the least blurred, or the one whose label an audit agrees with."""

LabelSource = Literal["schema", "folders"]
"""Where the labels of imported images come from: a schema, or the names of the folders as they are."""

LANDMARKS_EVERY = 6
"""Frames from one prediction of landmarks to the next while the picture holds still. They are smoothed over five
anyway: features of real video change by 2 % of their rms with every 4th and by 4 % with every 8th, and are off by 30 %
for other reasons. With every 8th, more regions are doubted that nothing covers."""

Container = Literal["avi", "mp4"]
"""The video files of a synthetic dataset: each frame a JPEG in AVI, or H.264 in MP4."""

Distractor = Literal[
    "hand", "blink", "speech", "glasses", "roll", "zoom", "yaw", "jolt", "pattern", "highlights", "codec", "dark"
]
"""What disturbs the measuring of a synthetic face; the names of ``synthetic.distractors.DISTRACTORS``."""
