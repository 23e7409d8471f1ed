"""Is a picture of one colour? Read off the PNG's lines, without decoding every pixel."""

from __future__ import annotations

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_MOST_BYTES = 64 << 20


def is_blank(png: bytes) -> bool:
    """Return whether every pixel of a PNG (8 bits a channel, not interlaced) has the same colour.

    Raises nothing: what is no such PNG is not blank.
    """
    try:
        width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", png[16:29])
        raw = zlib.decompressobj().decompress(_data(png), _MOST_BYTES)
    except (struct.error, zlib.error):
        return False
    size = _CHANNELS.get(colour, 0)
    length = 1 + width * size
    if not png.startswith(_SIGNATURE) or depth != 8 or interlaced or not size or len(raw) != length * height or not raw:
        return False
    lines = {raw[at : at + length] for at in range(length, len(raw), length)}
    pixel = _first_pixel(raw[: 1 + size])
    return raw[:length] in _uniform(pixel, width, is_first=True) and lines <= _uniform(pixel, width, is_first=False)


def _data(png: bytes) -> bytes:
    parts, at = [], len(_SIGNATURE)
    while at + 8 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            parts.append(png[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(parts)


def _first_pixel(start: bytes) -> bytes:
    return start[1:]  # above and to the left of it, all is 0: every filter leaves it as it is


def _uniform(pixel: bytes, width: int, *, is_first: bool) -> set[bytes]:
    """Return how a line of one colour looks under each of PNG's five filters; above the first line, all is 0."""
    nothing = bytes(len(pixel))
    half = bytes(value - value // 2 for value in pixel)
    rest = width - 1
    if is_first:
        return {
            b"\0" + pixel * width,
            b"\1" + pixel + nothing * rest,
            b"\2" + pixel * width,
            b"\3" + pixel + half * rest,
            b"\4" + pixel + nothing * rest,
        }
    return {
        b"\0" + pixel * width,
        b"\1" + pixel + nothing * rest,
        b"\2" + nothing * width,
        b"\3" + half + nothing * rest,
        b"\4" + nothing * width,
    }
