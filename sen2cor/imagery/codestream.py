"""Structure of a JPEG 2000 file, checked without decoding: boxes, tile-parts, end marker.

Source: ITU-T T.800 (ISO/IEC 15444-1), annexes A (codestream) and I (boxes). The codec decodes what
it finds and passes over what is missing; here a file must be whole.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from sen2cor.imagery.georeference import check_tags

_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_SOC, _SIZ, _SOT, _EOC = b"\xff\x4f", b"\xff\x51", b"\xff\x90", b"\xff\xd9"

_MAX_BOX_BYTES = 1 << 20
"""Bytes of a box that are searched for georeference; one takes some kilobytes."""

_MAX_TILES = 65535
"""T.800, table A.9."""


def check_file(path: Path) -> None:
    """Check an image file; see `check_structure`.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is damaged.
    """
    with path.open("rb") as stream:
        check_structure(stream, path.stat().st_size)


def check_structure(stream: BinaryIO, size: int) -> None:
    """Check that every box, every tile and the end marker are there, and where they should be.

    Parameters
    ----------
    stream : binary file
        At its beginning; only forward seeks are made.
    size : int
        Bytes of the file.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is damaged; the text says what is wrong at which byte.
    """
    if size == 0:
        raise ValueError("the file is empty")
    head = stream.read(len(_SIGNATURE))
    if head.startswith(_SOC):
        stream.seek(2)
        _check_codestream(stream, 0, size)
        return
    if head != _SIGNATURE:
        raise ValueError(_other_kind(head))
    position = len(_SIGNATURE)
    found = False
    while position < size:
        header = stream.read(8)
        if len(header) < 8:
            raise ValueError(f"it ends within a box at byte {position}")
        length, kind = struct.unpack(">I4s", header)
        start = position + 8
        if length == 1:
            length = struct.unpack(">Q", _read(stream, 8, start))[0]
            start += 8
        elif length == 0:
            length = size - position
        if not kind.isascii() or not kind.decode().isprintable() or position + length < start:
            raise ValueError(f"no box at byte {position}, where one should begin")
        end = position + length
        if end > size:
            raise ValueError(f"it is cut off: {end - size} bytes of {end} are missing")
        if kind == b"jp2c":
            if not found:  # further images of a file are not read
                if _read(stream, 2, start) != _SOC:
                    raise ValueError(f"no codestream at byte {start}")
                _check_codestream(stream, start, end)
            found = True
        else:
            check_tags(stream.read(min(end - start, _MAX_BOX_BYTES)))
        stream.seek(end)
        position = end
    if not found:
        raise ValueError("no codestream in it")


def _other_kind(head: bytes) -> str:
    if not head.strip(b"\x00"):
        return "it begins with zeros: the download is incomplete"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "it is a page or document (HTML, XML), perhaps the error message of a server"
    return "it is no JPEG 2000 file"


def _check_codestream(stream: BinaryIO, start: int, end: int) -> None:
    """Follow the markers from behind SOC to EOC."""
    tiles = None
    position = start + 2
    while (marker := _read(stream, 2, position)) != _SOT:
        if marker[:1] != b"\xff":
            raise ValueError(f"no marker at byte {position} of its header")
        (length,) = struct.unpack(">H", _read(stream, 2, position + 2))
        if length < 2 or position + 2 + length > end:
            raise ValueError(f"a marker at byte {position} of its header is damaged")
        content = _read(stream, length - 2, position + 4)
        if marker == _SIZ:
            tiles = _count_tiles(content)
        position += 2 + length
    if tiles is None:
        raise ValueError("its header does not tell the size of the image")
    seen = set()
    while True:
        tile, length = _read_tile_part(stream, position)
        if tile >= tiles:
            raise ValueError(f"tile {tile} at byte {position}, of {tiles} tiles")
        seen.add(tile)
        if length == 0:  # up to the end marker
            position = end - 2
        else:
            position += length
        if position + 2 > end:
            raise ValueError(f"tile {tile} is cut off")
        stream.seek(position)
        marker = _read(stream, 2, position)
        if marker == _EOC:
            break
        if marker != _SOT:
            raise ValueError(f"neither a tile nor the end marker at byte {position}")
    if len(seen) < tiles:
        raise ValueError(f"{tiles - len(seen)} of {tiles} tiles are missing")


def _count_tiles(siz: bytes) -> int:
    """Number of tiles of the marker SIZ."""
    if len(siz) < 36:
        raise ValueError("its header does not tell the size of the image")
    _, right, bottom, _, _, width, height, left, top = struct.unpack(">H8I", siz[:34])
    if not (width and height and left < right and top < bottom):
        raise ValueError("the sizes in its header are damaged")
    tiles: int = -((left - right) // width) * -((top - bottom) // height)
    if tiles > _MAX_TILES:
        raise ValueError("the sizes in its header are damaged")
    return tiles


def _read_tile_part(stream: BinaryIO, position: int) -> tuple[int, int]:
    """Tile index and length of the tile-part whose marker SOT has just been read."""
    size, tile, length = struct.unpack(">HHI", _read(stream, 8, position + 2))
    if size != 10 or 0 < length < 14:
        raise ValueError(f"the header of a tile at byte {position} is damaged")
    return tile, length


def _read(stream: BinaryIO, number: int, position: int) -> bytes:
    content = stream.read(number)
    if len(content) < number:
        raise ValueError(f"it ends at byte {position}")
    return content
