"""Reading arrays: what was written comes back, and no header is believed."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from datasets_me.core.arrays import ArrayError, load_npy, load_npz, stored

ANY_ARRAY = arrays.arrays(
    st.sampled_from([np.float32, np.float64, np.uint8, np.int32, np.bool_, "<U5", "S3"]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


def npy(array: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def claiming(shape: str, dtype: str = "<f4", content: bytes = b"\0" * 64) -> bytes:
    """An .npy whose header says so, whatever follows."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def zipped(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", kind) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


@given(ANY_ARRAY, st.booleans(), st.booleans())
def test_what_was_written_comes_back(tmp_path: Path, array: Any, fortran: bool, compressed: bool) -> None:
    array = np.asarray(array, order="F" if fortran else "C")
    (tmp_path / "a.npy").write_bytes(npy(array))
    (np.savez_compressed if compressed else np.savez)(tmp_path / "a.npz", a=array, other=np.zeros(3))
    for read in (load_npy(tmp_path / "a.npy"), load_npz(tmp_path / "a.npz", ["a"])["a"]):
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        assert read.tobytes("C") == array.tobytes("C")
    assert set(load_npz((tmp_path / "a.npz").read_bytes())) == {"a", "other"}


@given(ANY_ARRAY)
def test_an_array_of_an_uncompressed_npz_is_found_in_it(tmp_path: Path, array: Any) -> None:
    np.savez(tmp_path / "a.npz", other=np.ones(5), a=array)
    header = stored(tmp_path / "a.npz")["a"]
    content = (tmp_path / "a.npz").read_bytes()[header.offset : header.offset + header.size]
    assert (header.dtype, header.shape) == (array.dtype, array.shape)
    assert content == array.tobytes("F" if header.fortran else "C")


HUGE = "its header claims 8,796,093,022,208 bytes of float32 in the shape (2199023255552,); the file has 64"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (claiming("(2199023255552,)"), HUGE),
        (claiming("(-4,)"), "its header claims the shape (-4,) of float32"),
        (claiming("(4,)", "|O"), "it holds Python objects, not numbers or texts"),
        (claiming("(1099511627776,)", "<U0"), "its header claims the shape (1099511627776,) of <U0"),
        (claiming("(17,)"), "its header claims 68 bytes of float32 in the shape (17,); the file has 64"),
        (npy(np.zeros(4))[:-1], "its header claims 32 bytes of float64 in the shape (4,); the file has 31"),
    ],
)
def test_a_header_is_checked_against_the_file(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    (tmp_path / "a.npz").write_bytes(zipped({"a.npy": content}))
    (tmp_path / "stored.npz").write_bytes(zipped({"a.npy": content}, zipfile.ZIP_STORED))
    for read in (load_npy, load_npz, stored):
        path = tmp_path / {load_npy: "a.npy", load_npz: "a.npz", stored: "stored.npz"}[read]
        with pytest.raises(ArrayError) as said:
            read(path)
        assert str(said.value) == message


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"\x93NUMPY\x09\x09", claiming("(" * 5000), claiming("(4, 'x')"), b"no array at all"]
)
def test_a_damaged_header(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    (tmp_path / "a.npz").write_bytes(zipped({"a.npy": content}))
    for read, name in ((load_npy, "a.npy"), (load_npz, "a.npz")):
        with pytest.raises(ArrayError, match="its header is damaged"):
            read(tmp_path / name)


def lying(size: int) -> bytes:
    """An npz whose directory and header say that its array has so many bytes; it has 64."""
    content = bytearray(zipped({"a.npy": claiming(f"({size - 128},)", "|u1")}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = size.to_bytes(4, "little")
    return bytes(content)


def test_an_npz_whose_directory_lies() -> None:
    with pytest.raises(ArrayError, match=r"^the array 'a\.npy' ends early$"):
        load_npz(lying(1 << 29))
    with pytest.raises(ArrayError) as said:
        load_npz(lying((1 << 29) + 1))
    assert str(said.value) == "its arrays unpack to 536,870,913 bytes; compressed ones may have 536,870,912"


def test_what_an_npz_lacks_and_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArrayError, match=r"^it has no array 'quality'$"):
        load_npz(zipped({"a.npy": npy(np.zeros(2))}), ["quality"])
    with pytest.raises(ArrayError, match="it is damaged: File is not a zip file"):
        load_npz(b"PK\x03\x04")
    with pytest.raises(ArrayError, match="is compressed in a way that NumPy does not write"):
        load_npz(zipped({"a.npy": npy(np.zeros(2))}, zipfile.ZIP_LZMA))
    with pytest.raises(ArrayError, match=r"^No such file or directory$"):
        load_npy(tmp_path / "none.npy")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for read in (load_npy, load_npz, stored):
        with pytest.raises(ArrayError, match=r"^it is not a regular file$"):
            read(tmp_path / "pipe")
        with pytest.raises(ArrayError, match=r"^it is a folder$"):
            read(tmp_path)


@given(st.binary(max_size=12), st.integers(0, 400))
def test_no_npz_is_too_damaged_for_an_answer(change: bytes, at: int) -> None:
    content = bytearray(zipped({"a.npy": npy(np.arange(5)), "b.npy": npy(np.array(["x"]))}))
    content[at : at + len(change)] = change
    try:
        read = load_npz(bytes(content))
    except ArrayError as error:
        assert str(error)
    else:
        assert all(array.size < 1000 for array in read.values())
