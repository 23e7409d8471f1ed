"""Figures of matplotlib as part of a page: colours become classes, names that models gave come in as text at the end.

matplotlib writes style attributes, which the page's policy forbids, and fixed colours, which know no dark mode. It also
reads ``$…$`` in text as mathematics and warns about signs that its font lacks. So a figure is drawn with a few marked
colours and with numbers in the place of names, and both are replaced here.
"""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from codearena_plugin.report.page.elements import Html
from codearena_plugin.report.untrusted import visible

COLOURS: Mapping[str, str] = {
    "ink": "#010101",
    "muted": "#020202",
    "line": "#030303",
    "accent": "#040404",
    "second": "#050505",
    "surface": "#060606",
}
"""Role -> the colour that is drawn for it; the page's style sheet gives ``f-ROLE`` and ``s-ROLE`` their true ones."""

RC: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be selected, found and read aloud
    "svg.hashsalt": "codearena",  # ids, and so the file, are the same every time
    "text.parse_math": False,
    "font.size": 12,
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["muted"],
    "text.color": COLOURS["ink"],
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["ink"],
    "axes.unicode_minus": True,
}
DPI = 72  # a point is a pixel

_ROLES = {colour: role for role, colour in COLOURS.items()}
_NAMESPACE = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_PAINT = {"fill": "f", "stroke": "s"}
_KEPT = (
    *("fill-opacity", "stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin"),
    *("opacity", "stroke-opacity", "text-anchor", "font-size", "font-weight"),
)
_GEOMETRY = {"d", "x", "y", "width", "height", "transform"}


def figure(width: int, height: int) -> Figure:
    """Return an empty figure; both in pixels."""
    return Figure(figsize=(width / DPI, height / DPI), dpi=DPI)


def to_html(drawn: Figure, *, label: str, names: Sequence[str], tips: Sequence[str], prefix: str, class_: str) -> Html:
    """Return a figure as an inline SVG element without styles, scripts and addresses.

    Args:
        drawn: texts in it that read ``@N`` stand for names; groups with the id ``tip-N`` stand for what a tip says.
        label: what the figure shows, for those who do not see it.
        names: by N.
        tips: by N.
        prefix: of all ids, so that figures of one page do not meet.
        class_: of the element.
    """
    text = io.StringIO()
    drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = ET.fromstring(text.getvalue())  # noqa: S314
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{_NAMESPACE}metadata", f"{_NAMESPACE}style"}:
                parent.remove(child)
    box = root.attrib["viewBox"]
    for node in list(root.iter()):
        _clean(node, prefix, names, tips)
    root.attrib = {
        "viewBox": box,
        "width": box.split()[2],
        "class": class_,
        "role": "img",
        "aria-label": visible(label),
    }
    return Html(ET.tostring(root, encoding="unicode"))


def _clean(node: ET.Element, prefix: str, names: Sequence[str], tips: Sequence[str]) -> None:
    node.tag = node.tag.removeprefix(_NAMESPACE)
    node.tail = None
    if node.tag != "text":
        node.text = None
    elif node.text and node.text.startswith("@"):
        node.text = visible(names[int(node.text[1:])])
    attributes = dict(_attributes(node, prefix))
    own_id = node.attrib.get("id", "")
    if own_id.startswith("tip-"):
        title = ET.Element("title")
        title.text = visible(tips[int(own_id.removeprefix("tip-").split("_", maxsplit=1)[0])])
        node.insert(0, title)
    node.attrib.clear()
    node.attrib.update(attributes)


def _attributes(node: ET.Element, prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in node.attrib.items():
        if name == "style":
            yield from _presentation(value)
        elif name == _LINK:
            yield "href", value.replace("#", f"#{prefix}")
        elif name == "clip-path":
            yield name, value.replace("url(#", f"url(#{prefix}")
        elif name == "id" and node.tag in {"path", "clipPath"}:
            yield name, prefix + value
        elif name in _GEOMETRY and not value.startswith("rotate(-0 "):
            yield name, value


def _presentation(style: str) -> Iterator[tuple[str, str]]:
    """Yield the attributes that say what a style said, with a class for every colour that stands for a role."""
    pairs = [one.split(":", maxsplit=1) for one in style.split(";") if ":" in one]
    found = {key.strip(): value.strip() for key, value in pairs}
    classes = [f"{_PAINT[key]}-{_ROLES[found[key].lower()]}" for key in _PAINT if found.get(key, "").lower() in _ROLES]
    if classes:
        yield "class", " ".join(classes)
    yield from ((key, "none") for key in _PAINT if found.get(key) == "none")
    yield from ((key, found[key]) for key in _KEPT if key in found)
