"""Do XML and HTML parse? XML strictly and without ever expanding an entity, HTML as tolerantly as a browser."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.parsers import expat

# html.parser looks for the end of an unfinished tag again and again: 3 s for 20 kB of "<a ", measured.
_MAX_UNFINISHED_TAGS = 50
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_END_TAG_OPTIONAL = frozenset(
    (
        *("body", "colgroup", "dd", "dt", "head", "html", "li", "optgroup", "option"),
        *("p", "tbody", "td", "tfoot", "th", "thead", "tr"),
    )
)


def xml(code: str) -> bool | None:
    """Return whether XML, a document or a fragment, is well-formed; ``None`` where it declares a document type.

    The code is read inside a root element of ours. No entity can be declared there, so none is ever expanded.
    """
    body = code.strip()
    if "<!DOCTYPE" in body or "<!ENTITY" in body:
        return None
    if body.startswith("<?xml"):
        body = body.partition("?>")[2]
    parser = expat.ParserCreate("utf-8")
    try:
        parser.Parse(f"<fragment>{body}</fragment>", True)
    except (expat.ExpatError, ValueError):
        return False
    return True


def html(code: str) -> bool | None:
    """Return whether every element that must be closed is closed in order; ``None`` for a heap of unfinished tags."""
    if _unfinished_tags(code) > _MAX_UNFINISHED_TAGS:
        return None
    tags = _Tags()
    try:
        tags.feed(code)
        tags.close()
    except AssertionError:  # html.parser's way to refuse a malformed declaration
        return False
    return not tags.open and not tags.strays


def _unfinished_tags(code: str) -> int:
    return sum(1 for piece in code.split("<")[1:] if ">" not in piece)


class _Tags(HTMLParser):
    """Follows the open elements; ``strays`` counts end tags that close nothing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.strays = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in _VOID and tag not in _END_TAG_OPTIONAL:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open nothing for ``<tag/>``: SVG and component templates mean it that way."""

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or tag in _END_TAG_OPTIONAL:
            return
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.strays += 1
