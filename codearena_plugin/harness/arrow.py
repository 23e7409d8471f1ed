"""Text for the tables that harnesses keep their documents in."""

from __future__ import annotations


def text_for_arrow(text: str) -> str:
    """Return a text that Arrow's UTF-8 columns can hold: lone surrogates become U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
