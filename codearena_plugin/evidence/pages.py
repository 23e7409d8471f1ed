"""Pages: HTML with the style and the scripts that an answer gives beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codearena_plugin.evidence.shapes import is_left_out

STYLES = frozenset(("CSS", "SCSS", "Less"))
SCRIPTS = frozenset(("JavaScript",))
_REFERENCE = re.compile(
    r"<(?:link\b[^<>]{0,300}?\bhref|script\b[^<>]{0,300}?\bsrc)\s*=\s*[\"']([^\"'<>\s]{1,100})[\"']", re.IGNORECASE
)
_OWN_FILE = re.compile(r"(?:\./)?((?:[\w-]+/){0,2}[\w-]+(?:\.[\w-]+){0,2}\.(css|js))", re.IGNORECASE)
_TEMPLATE = re.compile(r"\{\{|\{%|<%|<\?(?:php|=)|@(?:Html|model|foreach)\b|\$\{")
_MOST_PARTS = 100  # for each the whole page may be searched
# the script of a component, which a build turns into a page
_COMPONENT = re.compile(
    r"<script\b(?![^<>]{0,200}\bmodule\b)[^<>]{0,200}>\s{0,200}(?:import|export)\b|^[ \t]{0,20}export default\b",
    re.MULTILINE,
)
_WHOLE = re.compile(r"<(?:!doctype|html|body)\b", re.IGNORECASE)
_END = re.compile(r"</(?:body|html)\s*>", re.IGNORECASE)
_STYLE_OR_SCRIPT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can be opened.

    Attributes:
        html: with the style and scripts in it to which it does not refer as files.
        others: files to which it refers, by the path that it gives them.
        used: places of the blocks, beside its own, that it is made of.
        is_guess: scripts are in it to which nothing refers.
    """

    html: str
    others: Mapping[str, str]
    used: tuple[int, ...]
    is_guess: bool


def is_template(html: str) -> bool:
    """Return whether HTML waits for a program to fill it in, or is a component that a program makes a page of.

    Marks of a template inside a script or a style do not count.
    """
    if _COMPONENT.search(html):
        return True
    if html.lower().count("<script") + html.lower().count("<style") > _MOST_PARTS:
        return False
    return _TEMPLATE.search(_STYLE_OR_SCRIPT.sub("", html)) is not None


def is_whole(html: str) -> bool:
    """Return whether HTML is a page, and not a part of one whose other elements the developer has."""
    return _WHOLE.search(html) is not None and not is_left_out(html)


def assemble(html: str, styles: Sequence[tuple[int, str]], scripts: Sequence[tuple[int, str]]) -> Page:
    """Return the page that HTML makes with style and scripts, each a place in the answer and its code.

    A reference to a file of one's own takes the next style, or script, in order; what nothing refers to goes inside.
    No path leaves the page's own folder.
    """
    waiting = {"css": list(styles), "js": list(scripts)}
    others: dict[str, str] = {}
    used: list[int] = []
    for found in _REFERENCE.finditer(html):
        own = _OWN_FILE.fullmatch(found[1])
        if own and own[1] not in others and waiting[own[2].lower()]:
            place, code = waiting[own[2].lower()].pop(0)
            others[own[1]] = code
            used.append(place)
    used += [place for left in waiting.values() for place, _ in left]
    inside = "".join(f"<style>\n{code}\n</style>\n" for _, code in waiting["css"])
    inside += "".join(f"<script>\n{code}\n</script>\n" for _, code in waiting["js"])
    end = _END.search(html)
    at = end.start() if end else len(html)
    whole = f"{html[:at]}\n{inside}{html[at:]}" if inside else html
    return Page(whole, others, tuple(sorted(used)), is_guess=bool(waiting["js"]))
