"""Markdown of models as HTML that can do nothing: raw HTML is text, links and images are text, colours are classes.

Three walls, each enough by itself: markdown-it is told that there is no HTML and never makes a link or an image; what
it makes passes nh3's list of allowed tags and classes; and the page's policy runs no script but its own.
"""

from __future__ import annotations

import functools
import html
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token as MarkdownToken
from pygments.lexer import Lexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String, _TokenType, is_token_subtype

from codearena_plugin.report.untrusted import visible

MOST_CHARACTERS = 100_000  # longer texts are shown as they are: no answer of a model is that long on purpose
_MOST_CODE = 20_000
_SECONDS_FOR_COLOUR = 2.0  # of processor time and one text; an honest answer takes a thousandth of that
_TABLE_GROWTH = 60  # times its source: rows that Markdown fills up with empty cells
# Markdown fills up every row of a table: one byte on a line may make hundreds of cells
_MOST_CELLS = 40_000
_TABLE = re.compile(r"^[ >]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+", re.MULTILINE)
# such runs take lexers quadratic time and longer, without a chance to interrupt them
_RUN = re.compile(r"(.)\1{400}|\s{400}", re.DOTALL)

COLOURS: Sequence[tuple[_TokenType, str]] = (
    (Comment, "c"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (String, "s"),
    (Number, "m"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "f"),
    (Name.Tag, "k"),
    (Name.Builtin, "b"),
    (Name.Attribute, "b"),
    (Generic.Inserted, "x"),
    (Generic.Deleted, "y"),
    (Generic.Heading, "f"),
)
"""Kind of token -> class of its colour; the first that fits. All else has the colour of text."""

_TAGS = {
    *("p", "pre", "code", "span", "ul", "ol", "li", "h4", "h5", "h6", "strong", "em", "s", "blockquote", "hr", "br"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_CLASSES = {
    "span": {"class": {*(name for _, name in COLOURS), "url", "lang"}},
    **{cell: {"class": {"left", "center", "right"}} for cell in ("th", "td")},
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as safe HTML, or why it is only shown as it is: exactly one of the two."""

    html: str | None
    why_plain: str | None = None


def render(text: str) -> Rendered:
    r"""Return Markdown as a fragment of HTML with allowed tags and classes only, without links, images and handlers.

    >>> render("*hi* <b onclick='x'>").html
    "<p><em>hi</em> &lt;b onclick='x'&gt;</p>\n"
    """
    if len(text) > MOST_CHARACTERS:
        return Rendered(None, f"longer than {MOST_CHARACTERS:,} characters")
    columns = max((found[0].count("|") for found in _TABLE.finditer(text)), default=0)
    if columns * text.count("\n") > _MOST_CELLS:
        return Rendered(None, f"its tables may have more than {_MOST_CELLS:,} cells")
    shown = visible(text)
    made = _markdown().render(shown, {"deadline": time.thread_time() + _SECONDS_FOR_COLOUR})
    if len(made) > max(_TABLE_GROWTH * len(shown), 10_000):
        return Rendered(None, "its Markdown swells to many times its length")
    import nh3  # of the extra "report"; all else here comes with rich

    return Rendered(nh3.clean(made, tags=_TAGS, attributes={"ol": {"start"}}, tag_attribute_values=_CLASSES))


@functools.cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    rules = {
        "fence": _fence,
        "code_block": _fence,
        "link_open": _link_open,
        "link_close": _link_close,
        "image": _image,
        "heading_open": _heading,
        "heading_close": _heading,
        "th_open": _cell,
        "td_open": _cell,
    }
    for name, rule in rules.items():
        markdown.add_render_rule(name, rule)
    return markdown


# Rules of markdown-it-py are called with the renderer, the tokens, an index, the options and the environment.


def _fence(_self: Any, tokens: Sequence[MarkdownToken], at: int, _options: Any, env: Any) -> str:
    language = tokens[at].info.split(maxsplit=1)[0] if tokens[at].info.strip() else ""
    label = f'<span class="lang">{html.escape(language[:40])}</span>' if language else ""
    return f"{label}<pre><code>{coloured(tokens[at].content, language, env['deadline'])}</code></pre>\n"


def _link_open(_self: Any, tokens: Sequence[MarkdownToken], at: int, _options: Any, _env: Any) -> str:
    return ""


def _link_close(_self: Any, tokens: Sequence[MarkdownToken], at: int, _options: Any, _env: Any) -> str:
    start = next(i for i in range(at, -1, -1) if tokens[i].type == "link_open")
    url = str(tokens[start].attrGet("href") or "")
    text = "".join(token.content for token in tokens[start + 1 : at])
    return "" if text == url else f' <span class="url">⟨{html.escape(url)}⟩</span>'


def _image(_self: Any, tokens: Sequence[MarkdownToken], at: int, _options: Any, _env: Any) -> str:
    url = str(tokens[at].attrGet("src") or "")
    return f'<span class="url">[image: {html.escape(tokens[at].content)} ⟨{html.escape(url)}⟩]</span>'


def _heading(_self: Any, tokens: Sequence[MarkdownToken], at: int, _options: Any, _env: Any) -> str:
    level = min(6, int(tokens[at].tag[1]) + 3)  # below the page's own headings
    return f"<h{level}>" if tokens[at].nesting == 1 else f"</h{level}>\n"


def _cell(_self: Any, tokens: Sequence[MarkdownToken], at: int, _options: Any, _env: Any) -> str:
    side = str(tokens[at].attrGet("style") or "").removeprefix("text-align:")
    return f'<{tokens[at].tag} class="{side}">' if side in _CLASSES["td"]["class"] else f"<{tokens[at].tag}>"


def coloured(code: str, language: str, deadline: float = float("inf")) -> str:
    """Return code as HTML with its tokens in classes of colour; without them where the language is not known.

    Args:
        code: any text.
        language: as a fence names it.
        deadline: on the clock of ``time.thread_time``; what takes longer stays without colour.

    >>> coloured("x = 1", "python")
    'x = <span class="m">1</span>'
    """
    lexer = _lexer(language.lower())
    if lexer is None or len(code) > _MOST_CODE or _RUN.search(code):
        return html.escape(code, quote=False)
    pieces: list[tuple[str, list[str]]] = []
    for number, (kind, value) in enumerate(lexer.get_tokens(code)):
        name = _colour(kind)
        if pieces and pieces[-1][0] == name:
            pieces[-1][1].append(value)
        else:
            pieces.append((name, [value]))
        if number % 32 == 0 and time.thread_time() > deadline:
            return html.escape(code, quote=False)
    return "".join(_pieces(pieces))


def _pieces(pieces: Iterable[tuple[str, list[str]]]) -> Iterable[str]:
    for name, values in pieces:
        text = html.escape("".join(values), quote=False)
        yield f'<span class="{name}">{text}</span>' if name else text


@functools.cache
def _colour(kind: _TokenType) -> str:
    return next((name for known, name in COLOURS if is_token_subtype(kind, known)), "")


@functools.cache
def _known() -> frozenset[str]:
    # only what pygments itself brings: a look for plugins at every unknown name would take milliseconds each
    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)


@functools.lru_cache(maxsize=256)
def _lexer(language: str) -> Lexer | None:
    return get_lexer_by_name(language, stripnl=False, ensurenl=False) if language in _known() else None
