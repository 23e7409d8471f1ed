"""HTML as values: text is escaped wherever it enters, so that forgetting to escape is not possible."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from typing import Any

from codearena_plugin.report.untrusted import visible

_VOID = {"br", "hr", "input", "link", "meta"}


class Html(str):
    """HTML that may stand as it is; any other text is escaped on its way into an element."""

    __slots__ = ()


Child = str | Html | None
Attribute = str | int | float | bool | None


def element(tag: str, *children: Child, **attributes: Attribute) -> Html:
    """Return an element; children that are plain text are escaped, and what they hide is made visible.

    Args:
        tag: its name.
        children: ``None`` is left out.
        attributes: ``True`` stands without a value, ``None`` and ``False`` are left out; ``class_`` means class, and
            any other underscore a hyphen. There is no way to give a handler or a style: the page forbids both.

    >>> element("td", "<b>", class_="n", colspan=2)
    '<td class="n" colspan="2">&lt;b&gt;</td>'
    """
    shown = "".join(
        f" {_attribute(name, value)}" for name, value in attributes.items() if value is not None and value is not False
    )
    if tag in _VOID:
        return Html(f"<{tag}{shown}>")
    return Html(f"<{tag}{shown}>{joined(children)}</{tag}>")


def joined(parts: Iterable[Child]) -> Html:
    """Return parts one after the other; those that are plain text are escaped."""
    return Html("".join(part if isinstance(part, Html) else escaped(part) for part in parts if part is not None))


def escaped(text: str) -> Html:
    r"""Return plain text as HTML that shows it, with everything in it that steers or hides made visible.

    >>> escaped("a < b\x00")
    'a &lt; b␀'
    """
    return Html(html.escape(visible(text), quote=False))


def data_block(name: str, data: Any) -> Html:
    """Return plain data as a block of JSON that a script reads and no browser runs.

    ``<``, ``>`` and ``&`` are written as escapes of JSON, so that no text in it can end the block or open a comment.
    """
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return element("script", Html(text), type="application/json", id=name)


def _attribute(name: str, value: Attribute) -> str:
    plain = name.rstrip("_").replace("_", "-")
    return plain if value is True else f'{plain}="{html.escape(visible(str(value)), quote=True)}"'
