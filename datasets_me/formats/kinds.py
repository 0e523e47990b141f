"""Every kind of folder that is written, its format, and the command that writes it."""

from __future__ import annotations

from datasets_me.core.artefact import Kind
from datasets_me.core.errors import DecisionsError, FeaturesError, ImagesError, ManifestError, SplitError

MANIFEST = Kind("manifest", "manifest", "manifest.json", 1, "me-datasets convert", error=ManifestError)
DECISIONS = Kind("decisions", "folder of decisions", "decisions.json", 1, "me-datasets decide", error=DecisionsError)
EXTRACTION = Kind("extraction", "extraction", "extraction.json", 1, "me-datasets extract", error=FeaturesError)
JOINED = Kind("joined", "folder of joined tables", "joined.json", 1, "me-datasets join")
FRAMES = Kind("frames", "folder of frames", "frames.json", 1, "me-datasets frames")
SPLIT = Kind("split", "split", "split.json", 1, "me-datasets split", error=SplitError)
SEGMENTS = Kind("segments", "export of segments", "export.json", 1, "me-datasets export segments")
CLIPS = Kind("clips", "export of clips", "export.json", 1, "me-datasets export clips")
FLOW = Kind("flow", "export of flow images", "export.json", 1, "me-datasets export flow")
AUWGCN = Kind("auwgcn", "export for AUW-GCN", "export.json", 1, "me-datasets export auwgcn")
CARD = Kind("card", "card", "card.json", 1, "me-datasets card")
SCORES = Kind("scores", "folder of scores", "scores.json", 1, "me-datasets score")
PREPARED = Kind("prepared", "folder of an earlier prepare", "prepare.json", 1, "me-datasets prepare")
SYNTHETIC = Kind("synthetic", "synthetic dataset", "synthetic.json", 1, "me-datasets synth")
IMAGE_SET = Kind("image-set", "set of images", "images.json", 1, "me-datasets images import", error=ImagesError)
IMAGE_EXPORT = Kind(
    "image-export", "export of images", "export.json", 1, "me-datasets images export", error=ImagesError
)
GROUPS = Kind("groups", "folder of groups", "groups.json", 1, "me-datasets images groups", error=ImagesError)

KINDS = (
    *(MANIFEST, DECISIONS, EXTRACTION, JOINED, FRAMES, SPLIT, SEGMENTS, CLIPS, FLOW, AUWGCN, CARD, SCORES, PREPARED),
    SYNTHETIC,
    *(IMAGE_SET, IMAGE_EXPORT, GROUPS),
)
