"""Damaged JPEG 2000 files: structure, and what the codec reports, are errors."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest

from sen2cor.errors import InputError
from sen2cor.imagery import images, jpeg2000
from sen2cor.raster.grids import Grid

SIZE, TILE = 100, 64
IMAGE = np.add.outer(np.arange(SIZE), np.arange(SIZE)).astype(np.uint16)
SOT, SOD, EOC = b"\xff\x90\x00\x0a", b"\xff\x93", b"\xff\xd9"


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("image") / "B02.jp2"
    images.write(path, IMAGE, Grid(32633, 3e5, 5.9e6, 10.0, SIZE, SIZE), TILE)
    return path.read_bytes()


def without_last_tile(content: bytes) -> bytes:
    return lengthened(content[: content.rindex(SOT)] + EOC)


def lengthened(content: bytes) -> bytes:
    """Make the codestream box end with the file."""
    start = content.index(b"jp2c") - 4
    return content[:start] + struct.pack(">I", len(content) - start) + content[start + 4 :]


def zeros(content: bytes, start: int, length: int) -> bytes:
    hole = bytes(min(length, len(content) - start))
    return content[:start] + hole + content[start + len(hole) :]


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda c: b"", "empty"),
    "zeros only": (lambda c: bytes(len(c)), "incomplete"),
    "HTML": (lambda c: b"\n<!DOCTYPE html><html>503</html>", "page or document"),
    "text": (lambda c: b"not found", "no JPEG 2000 file"),
    "second half zeros": (lambda c: zeros(c, len(c) // 2, len(c)), "byte"),
    "last 4 bytes zeros": (lambda c: zeros(c, len(c) - 4, 4), "end marker"),
    "cut in half": (lambda c: c[: len(c) // 2], "cut off"),
    "last byte missing": (lambda c: c[:-1], "cut off"),
    "no end marker": (lambda c: lengthened(c[:-2]), "cut off"),
    "last tile missing": (without_last_tile, "1 of 4 tiles are missing"),
    "hole over a tile header": (lambda c: zeros(c, c.rindex(SOT) - 8, 64), "end marker"),
    "hole over the main header": (lambda c: zeros(c, c.index(b"jp2c") + 4, 40), "codestream"),
    "hole over a box header": (lambda c: zeros(c, c.index(b"uuid") - 4, 8), "no box"),
    "tile index": (
        lambda c: c[: c.rindex(SOT) + 4] + b"\xff\xff" + c[c.rindex(SOT) + 6 :],
        "65535",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_structure_is_an_error_of_header_and_pixels(
    intact: bytes, tmp_path: Path, name: str
) -> None:
    damage, says = DAMAGE[name]
    path = tmp_path / "T33UUU_B02.jp2"
    path.write_bytes(damage(intact))
    for read in (jpeg2000.read, jpeg2000.read_info):
        with pytest.raises(InputError, match=says) as caught:
            read(path)
        assert "T33UUU_B02.jp2" in str(caught.value) and "again" in str(caught.value)


@pytest.mark.parametrize("last_length", ["given", "up to the end"])
@pytest.mark.parametrize("box_length", ["given", "up to the end", "64 bits"])
def test_all_ways_to_tell_lengths_are_read(
    intact: bytes, tmp_path: Path, last_length: str, box_length: str
) -> None:
    """T.800: a length of 0 means up to the end; a box length of 1 announces 64 bits."""
    content, start = intact, intact.index(b"jp2c") - 4
    if last_length == "up to the end":
        at = content.rindex(SOT) + 6
        content = content[:at] + bytes(4) + content[at + 4 :]
    if box_length == "up to the end":
        content = content[:start] + bytes(4) + content[start + 4 :]
    elif box_length == "64 bits":
        length = struct.pack(">I4sQ", 1, b"jp2c", len(content) - start + 8)
        content = content[:start] + length + content[start + 8 :]
    path = tmp_path / "B02.jp2"
    path.write_bytes(content)
    np.testing.assert_array_equal(jpeg2000.read(path), IMAGE)


def damaged_packets(content: bytes) -> bytes:
    """Flip a bit in the header of a packet, which OpenJPEG decodes all the same."""
    place = content.index(SOD) + 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_reports_of_the_codec_are_errors(intact: bytes, tmp_path: Path) -> None:
    path = tmp_path / "B03.jp2"
    path.write_bytes(damaged_packets(intact))
    with pytest.raises(InputError, match=r"B03\.jp2.*segment too long"):
        jpeg2000.read(path)
    with pytest.raises(InputError, match=r"B03\.jp2"):
        jpeg2000.read(path, reduce=1)


def test_reports_belong_to_the_image_that_caused_them(intact: bytes, tmp_path: Path) -> None:
    """Also when several threads decode, and the codec has threads of its own."""
    jpeg2000.set_threads(2)
    results: dict[str, str] = {}
    together = Barrier(4)

    def decode(name: str) -> None:
        path = tmp_path / name
        path.write_bytes(damaged_packets(intact) if name.startswith("damaged") else intact)
        together.wait()
        for _ in range(20):
            try:
                jpeg2000.read(path)
                outcome = "intact"
            except InputError as error:
                outcome = "damaged" if name in str(error) and "segment" in str(error) else "?"
            results.setdefault(name, outcome)
            if outcome != results[name]:
                results[name] = "differs"

    names = ["damaged_1.jp2", "intact_1.jp2", "damaged_2.jp2", "intact_2.jp2"]
    threads = [Thread(target=decode, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {name: name.partition("_")[0] for name in names}


@pytest.mark.many_cases
@pytest.mark.parametrize("step", [7, 1])
def test_intact_real_images_are_accepted(reference_data: Path, step: int) -> None:
    """No warning of the codec is harmless: intact images cause none."""
    found = sorted(
        path for path in reference_data.rglob("*.jp2") if path.stat().st_size < 300_000
    )  # the others take minutes
    for path in found[::step]:
        jpeg2000.read_info(path)
    for path in found[:: 7 * step]:
        jpeg2000.read(path)
    if not found:
        pytest.skip("no images in the reference data")
