"""Models of the user's: ONNX by OpenCV, TorchScript, and files that are neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from datasets_me.core.errors import MeDatasetsError
from datasets_me.images.groups.embed import from_function, onnx_embedder

FACE = np.zeros((112, 112, 3), np.uint8)
FACE[:, :, 0], FACE[:, :, 2] = 255, 51  # blue 255, red 51: RGB means 0.2, 0, 1 at mean 0, std 255
NOTHING = np.zeros((68, 2), np.float32)


def number(field: int, value: int) -> bytes:
    """A field of a protocol buffer: a small number."""
    return bytes([field << 3]) + varint(value)


def part(field: int, content: bytes | str) -> bytes:
    """A field of a protocol buffer: bytes, a text or a message."""
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def onnx(*operations: str) -> bytes:
    """A model that applies operations without parameters to ``x`` (1, 3, 112, 112), one after the other."""

    def tensor(name: str, shape: tuple[int, ...]) -> bytes:
        dims = b"".join(part(1, number(1, size)) for size in shape)
        return part(1, name) + part(2, part(1, number(1, 1) + part(2, dims)))

    names = ["x", *(f"y{i}" for i in range(len(operations)))]
    nodes = b"".join(
        part(1, part(1, before) + part(2, after) + part(3, f"n{after}") + part(4, kind))
        for before, after, kind in zip(names, names[1:], operations, strict=False)
    )
    graph = nodes + part(2, "g") + part(11, tensor("x", (1, 3, 112, 112))) + part(12, tensor(names[-1], (1, 3)))
    return number(1, 8) + part(7, graph) + part(8, part(1, "") + number(2, 13))


def test_onnx(tmp_path: Path) -> None:
    (tmp_path / "mean.onnx").write_bytes(onnx("GlobalAveragePool", "Flatten"))
    made = onnx_embedder(tmp_path / "mean.onnx", mean=0, std=255)
    assert made.describe(FACE, NOTHING, FACE) == pytest.approx([0.2, 0, 1], abs=1e-3)
    assert made.about["size"] == 3
    with pytest.raises(MeDatasetsError, match="there is no such model"):
        onnx_embedder(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(MeDatasetsError, match="not a model that OpenCV can read"):
        onnx_embedder(tmp_path / "bad.onnx")


# PyTorch has newer ways to save a model; people's models are saved in this one
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torchscript(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from datasets_me.torch_data.embedding import torchscript_embedder

    net = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    torch.jit.trace(net, torch.zeros(1, 3, 112, 112)).save(str(tmp_path / "mean.pt"))
    made = torchscript_embedder(tmp_path / "mean.pt", mean=0, std=255)
    assert made.describe(FACE, NOTHING, FACE) == pytest.approx([0.2, 0, 1], abs=1e-6)
    (tmp_path / "bad.pt").write_bytes(b"no model")
    with pytest.raises(MeDatasetsError, match="not a TorchScript model"):
        torchscript_embedder(tmp_path / "bad.pt")
    wrong = torch.nn.Linear(5, 5)
    torch.jit.trace(wrong, torch.zeros(1, 5)).save(str(tmp_path / "wrong.pt"))
    with pytest.raises(MeDatasetsError, match="the model cannot be run"):
        torchscript_embedder(tmp_path / "wrong.pt")


def test_a_model_that_gives_no_numbers() -> None:
    with pytest.raises(MeDatasetsError, match="the model gives no vector of finite numbers"):
        from_function(lambda batch: np.array([np.nan], np.float32), {"model": "m"})
