"""Messages between the host and the zygote: a JSON header, and raw bytes after it.

The header is made by the zygote, never by what a step wrote; the bytes are only ever bytes.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

_SIZES = struct.Struct("!IQ")
_AT_ONCE = 64  # buffers a call; the kernel takes 1024
HEADER_MOST = 64 << 20
BODY_MOST = 4 << 30
SHORTAGE = "the machine ran out of memory, and its kernel killed a process"
"""The problem of a step that may have been killed for that; the host tries it again."""


class FramingError(Exception):
    """The other side sent what is no message."""


def send(channel: socket.socket, header: dict[str, Any], blobs: Sequence[bytes | memoryview] = ()) -> None:
    """Send a header and, one after the other, the blobs whose sizes it names; no blob is copied."""
    text = json.dumps(header, separators=(",", ":")).encode()
    start = _SIZES.pack(len(text), sum(map(len, blobs))) + text
    pending = [memoryview(start), *(memoryview(blob) for blob in blobs)]
    while pending:
        sent = channel.sendmsg(pending[:_AT_ONCE])
        while pending and sent >= len(pending[0]):
            sent -= len(pending.pop(0))
        if sent:
            pending[0] = pending[0][sent:]


def receive(
    channel: socket.socket, *, most: int = BODY_MOST, room: Callable[[int], Any] = bytearray
) -> tuple[dict[str, Any], memoryview] | None:
    """Return the next header and body; ``None``: the other side is gone.

    Args:
        most: length of the longest body that is taken, in bytes.
        room: gives a writable buffer for the body.

    Raises:
        FramingError: what came is no message, or too long.
    """
    start = _filled(channel, bytearray(_SIZES.size))
    if start is None:
        return None
    header_size, body_size = _SIZES.unpack(start)
    if header_size > HEADER_MOST or body_size > most:
        msg = f"a message of {header_size} + {body_size} bytes, more than agreed"
        raise FramingError(msg)
    text = _filled(channel, bytearray(header_size))
    if text is None:
        return None
    body = _filled(channel, memoryview(room(body_size))[:body_size])
    if body is None:
        return None
    try:
        header = json.loads(bytes(text))
    except ValueError as exc:
        msg = "a header that is not JSON"
        raise FramingError(msg) from exc
    if not isinstance(header, dict):
        msg = "a header that is not an object"
        raise FramingError(msg)
    return header, body


def split(body: memoryview, sizes: Sequence[int]) -> list[memoryview]:
    """Return the blobs of a body.

    Raises:
        FramingError: the sizes are not those of the body.

    >>> [bytes(blob) for blob in split(memoryview(b"abcde"), [2, 0, 3])]
    [b'ab', b'', b'cde']
    """
    if any(size < 0 for size in sizes) or sum(sizes) != len(body):
        msg = "sizes that do not add up to the body"
        raise FramingError(msg)
    blobs, at = [], 0
    for size in sizes:
        blobs.append(body[at : at + size])
        at += size
    return blobs


def _filled(channel: socket.socket, buffer: bytearray | memoryview) -> memoryview | None:
    """Fill a buffer from the channel; ``None``: it ended before."""
    view, at = memoryview(buffer), 0
    while at < len(view):
        got = channel.recv_into(view[at:])
        if not got:
            return None
        at += got
    return view
