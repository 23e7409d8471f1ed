"""Write a file so that whoever reads it finds all of the old text or all of the new."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path


def write_atomically(path: Path, text: str | Iterable[str], *, encoding: str = "utf-8") -> None:
    """Put a text in the place of a file once it is on disk; on any failure the old file stays as it was.

    Args:
        text: written as it is, line ends included; as one string or in pieces.
        encoding: "ascii" where the text is JSON with escapes, which carry the lone surrogates that UTF-8 cannot.

    Raises:
        OSError: it cannot be written. UnicodeEncodeError: the encoding cannot hold it.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        with partial.open("x", encoding=encoding, newline="") as file:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
