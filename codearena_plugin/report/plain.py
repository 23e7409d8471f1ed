"""What is shown where the output knows no Unicode: a likeness of our own signs, the code point of everything else.

A terminal under ``LANG=C`` is no reason to lose a result. Boxes and bars are drawn in ASCII there by rich itself.
"""

from __future__ import annotations

import codecs
import sys

_ERRORS = "codearena-plain"
_LIKENESS = {"–": "-", "−": "-", "×": "x", "·": "-", "…": "..."}  # those in tables as wide as what they stand for


def degrade_output() -> None:
    """Let standard output and standard error show what they cannot encode in another way, instead of failing."""
    codecs.register_error(_ERRORS, _shown)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ERRORS)


def _shown(error: UnicodeError) -> tuple[str | bytes, int]:
    r"""Return the likeness of what cannot be encoded, and where to go on.

    >>> codecs.register_error(_ERRORS, _shown)
    >>> "1 – 2 × 你".encode("ascii", _ERRORS)
    b'1 - 2 x \\u4f60'
    """
    if not isinstance(error, UnicodeEncodeError):
        return codecs.backslashreplace_errors(error)
    text = error.object[error.start : error.end]
    return "".join(_LIKENESS.get(char) or ascii(char)[1:-1] for char in text), error.end
