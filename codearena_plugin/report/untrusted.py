"""Text from models and servers, made safe to print: nothing in it can steer a terminal or hide.

Control characters become their pictures (ESC is shown as ␛), invisible formatting and halves of surrogate pairs their
code point (``<U+202E>``). So an escape sequence, a title change or a bidi override is seen instead of obeyed.
"""

from __future__ import annotations

import re
import unicodedata

_PICTURES = 0x2400  # U+2400 + n is the picture of control character n
_DELETE, _DELETE_PICTURE = 0x7F, "␡"
_KEPT = {"\n", "\t", "\u200c", "\u200d"}  # joiners belong to emoji and to several scripts
_SHOWN_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_SUSPECT = re.compile(r"[^\n\t\x20-\x7e]")


def visible(text: str) -> str:
    r"""Return the text with everything that a terminal would obey or hide made visible; line ends become ``\n``.

    >>> visible("a\x1b[31mred\x1b[0m \u202e!")
    'a␛[31mred␛[0m <U+202E>!'
    """
    return _SUSPECT.sub(lambda found: _shown(found[0]), text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    r"""Return the text on one visible line, cut to ``limit`` characters.

    >>> one_line("server said:\n  no", limit=12)
    'server said…'
    """
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def beginning(text: str, limit: int | None) -> str:
    """Return the visible beginning of a long text, and how much was left out; ``None`` for all of it."""
    if limit is None or len(text) <= limit:
        return visible(text)
    return f"{visible(text[:limit])}\n… {len(text) - limit:,} more characters (--full shows them)"


def _shown(char: str) -> str:
    if char in _KEPT or unicodedata.category(char) not in _SHOWN_CATEGORIES:
        return char
    code = ord(char)
    if code < 0x20:
        return chr(_PICTURES + code)
    return _DELETE_PICTURE if code == _DELETE else f"<U+{code:04X}>"
