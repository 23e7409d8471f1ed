"""Make a whole page of what is less: a fragment of HTML, a style sheet, a script, a drawing."""

from __future__ import annotations

import re

from codearena_plugin.languages import canonical_language

PAGED = frozenset(("HTML", "CSS", "JavaScript", "SVG", "Bootstrap"))
"""Languages of which a page can be made."""
_DOCUMENT = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_NAME = re.compile(r"([.#])(-?[A-Za-z_][\w-]{0,60})")
_BLOCK = re.compile(r"\{[^{}]*\}|/\*(?:[\s\S]*?\*/|[\s\S]*)|@import[^;]{0,300};")
_MOST_NAMES = 60
_ASKED = re.compile(
    r"(?:getElementById\(\s*['\"]#?|querySelector(?:All)?\(\s*['\"]#|\$\(\s*['\"]#)([A-Za-z_][\w-]{0,60})['\"]"
)
_ELEMENTS = ("canvas", "form", "input", "button", "select", "table", "video", "img")
# What a style sheet may style; names of its own are added.
_SPECIMEN = (
    "<header><h1>Heading</h1><nav><ul><li><a href='#'>Link</a></li><li><a href='#'>Link</a></li></ul></nav></header>"
    "<main><section><h2>Heading</h2><p>A paragraph with <strong>strong</strong> and <em>stressed</em> words.</p>"
    "<button>Button</button><form><label>Label <input value='Text'></label><select><option>Choice</option></select>"
    "</form><table><tr><th>Head</th></tr><tr><td>Cell</td></tr></table></section></main><footer>Footer</footer>"
)


def as_page(language: str, code: str) -> str | None:
    """Return a page that shows a piece of code; ``None`` for a language of which none can be made.

    A style sheet is shown on a specimen that has an element for each class and id it names; a script finds an element
    for each id it asks for, so far as the id tells of which kind.

    >>> as_page("css", ".card { color: red }").count("card")
    3
    >>> as_page("Python", "print(1)") is None
    True
    """
    name = canonical_language(language)
    if name == "CSS":
        return _document(_specimen(code), f"<style>{_closed(code, 'style')}</style>")
    if name == "JavaScript":
        return _document(_asked(code), "", f"<script>{_closed(code, 'script')}</script>")
    if name not in PAGED:
        return None
    return code if _DOCUMENT.search(code) else _document(code)


def _document(body: str, head: str = "", script: str = "") -> str:
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>Page</title>{head}</head>"
        f"<body>{body}{script}</body></html>"
    )


def _closed(code: str, tag: str) -> str:
    """Return code that can neither end the element it is put into nor keep it open, as ``<!-- <script>`` does."""
    kept = code.replace("<!--", r"<\!--") if tag == "script" else code
    return re.sub(rf"</(?={tag})", r"<\\/", kept, flags=re.IGNORECASE)


def _specimen(css: str) -> str:
    selectors = _BLOCK.sub(" ", css)
    names = list(dict.fromkeys(_NAME.findall(selectors)))[:_MOST_NAMES]
    made = (f"<div {'class' if kind == '.' else 'id'}='{name}'>{name}</div>" for kind, name in names)
    return _SPECIMEN + "".join(made)


def _asked(script: str) -> str:
    names = list(dict.fromkeys(_ASKED.findall(script)))[:_MOST_NAMES]
    tags = [next((tag for tag in _ELEMENTS if tag in name.lower()), "div") for name in names]
    return "".join(f"<{tag} id='{name}'></{tag}>" for tag, name in zip(tags, names, strict=True))
