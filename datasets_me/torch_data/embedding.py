"""The user's TorchScript model as an embedding of faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from datasets_me.core.errors import MeDatasetsError
from datasets_me.core.files import checksum
from datasets_me.images.groups.align import SIDE
from datasets_me.images.groups.embed import Embedder, from_function, present


def torchscript_embedder(path: Path, *, mean: float = 127.5, std: float = 127.5, side: int = SIDE) -> Embedder:
    """A model saved by ``torch.jit.save``, run on the CPU with the same input as an ONNX model.

    A TorchScript file is a program: load only what you trust.

    Raises:
        MeDatasetsError: the file cannot be read, or the model cannot be run.
    """
    present(path)
    try:
        model = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        raise MeDatasetsError(
            f"not a TorchScript model: {str(error).splitlines()[0].split('. ')[0]}", where=str(path)
        ) from error

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            with torch.inference_mode():
                return np.asarray(model(torch.from_numpy(batch)).numpy(), np.float32)
        except (RuntimeError, AttributeError, TypeError) as error:
            lines = str(error).strip().splitlines()
            raise MeDatasetsError(
                f"the model cannot be run: {lines[-1] if lines else error}", where=str(path)
            ) from error

    return from_function(run, {"model": path.name, "sha256": checksum(path)}, mean=mean, std=std, side=side)
