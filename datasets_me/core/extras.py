"""Which extra of the package brings a library that is not installed."""

from __future__ import annotations

from datasets_me.core.errors import MeDatasetsError

EXTRAS = {
    "av": "features",
    "cv2": "features",
    "dlib": "features",
    "face_recognition_models": "features",
    "imagehash": "splits",
    "scipy": "splits",
    "sklearn": "splits",
    "dask": "cluster",
    "dask_jobqueue": "cluster",
    "distributed": "cluster",
    "matplotlib": "plots",
    "pandas": "pandas",
    "rouge_score": "texts",
    "sacrebleu": "texts",
    "starlette": "viewer",
    "uvicorn": "viewer",
    "torch": "training",
}
"""Library, as it is imported -> the smallest extra in pyproject.toml that has it."""


def install(library: str) -> str:
    """The command that installs a library, in a checkout of the package: its name is on no index."""
    extra = EXTRAS.get(library.partition(".")[0])
    package = f"'.[{extra}]'" if extra else "."
    return f"in the checkout of me-datasets: pip install {package}"


def missing(library: str) -> MeDatasetsError:
    """The error for a library that is not installed."""
    return MeDatasetsError(f"the library '{library}' is not installed", fix=install(library))
