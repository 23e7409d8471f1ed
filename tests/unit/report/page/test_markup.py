"""Markdown of models: what may be in the HTML is a short list, and everything else is text."""

from __future__ import annotations

import html
import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest
from hostile_runs import PAYLOADS
from hypothesis import given, settings
from hypothesis import strategies as st

from codearena_plugin.report.page import markup
from codearena_plugin.report.page.markup import coloured, render

TAGS = {
    *("p", "pre", "code", "span", "ul", "ol", "li", "h4", "h5", "h6", "strong", "em", "s", "blockquote", "hr", "br"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
CLASSES = {*"cksmfbxy", "url", "lang", "left", "center", "right"}


class Allowed(HTMLParser):
    """Fails on anything that is not on the list; keeps the text."""

    def __init__(self, made: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.feed(made)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert (name == "class" and set(value.split()) <= CLASSES) or (
                name == "start" and tag == "ol" and value.isdigit()
            ), (tag, name, value)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def allowed(text: str) -> Allowed | None:
    rendered = render(text)
    assert (rendered.html is None) != (rendered.why_plain is None)
    return None if rendered.html is None else Allowed(rendered.html)


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
def test_hostile_markdown_becomes_nothing_but_the_tags_on_the_list(text: str) -> None:
    allowed(text)


PIECES = [
    "<",
    ">",
    "&",
    '"',
    "'",
    "`",
    "```",
    "\n",
    "[",
    "](",
    ")",
    "!",
    "*",
    "|",
    "-",
    "#",
    "javascript:",
    "<script",
    "on=",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=40).map("".join))
def test_any_mixture_of_signs_becomes_nothing_but_the_tags_on_the_list(text: str) -> None:
    allowed(text)


def test_the_sanitiser_is_a_wall_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the renderer let HTML through, nh3 would not."""

    class Careless:
        def render(self, *_: Any) -> str:
            bad = "<p onclick=x style='a:b' class='c evil'>a</p><img src=x onerror=y><script>z</script>"
            return f"{bad}<a href='javascript:k'>l</a>"

    monkeypatch.setattr(markup, "_markdown", Careless)
    assert render("anything").html == "<p>a</p>l"


def test_what_markdown_is_for_is_shown() -> None:
    made = render("# Title\n\n*em* **strong** ~~gone~~ `code`\n\n5. five\n6. six\n\n> quote\n\n---\n").html
    assert made is not None
    for part in (
        "<h4>Title</h4>", "<em>em</em>", "<strong>strong</strong>", "<s>gone</s>", "<code>code</code>",
        '<ol start="5">', "<blockquote>", "<hr>",
    ):  # fmt: skip
        assert part in made, part


def test_a_table_keeps_its_sides() -> None:
    made = render("|a|b|c|\n|:--|:-:|--:|\n|1|2|3|\n").html or ""
    assert re.findall(r'<td class="(\w+)">(\d)', made) == [("left", "1"), ("center", "2"), ("right", "3")]


def test_links_and_images_are_words_with_their_address() -> None:
    made = render("[text](http://a.b/?x=1&y=2) <http://c.d> ![alt](http://e.f/g.png)").html or ""
    text = html.unescape(re.sub(r"<[^>]+>", "", made))
    assert "text ⟨http://a.b/?x=1&y=2⟩" in text
    assert text.count("http://c.d") == 1
    assert "[image: alt ⟨http://e.f/g.png⟩]" in text
    assert "<a" not in made
    assert "<img" not in made


def test_code_has_colours_in_classes_and_keeps_every_letter() -> None:
    code = 'def f(x):\n    """Doc."""\n    return x + 1  # one\n\n\n'
    made = coloured(code, "python")
    assert '<span class="k">def</span> <span class="f">f</span>' in made
    assert '<span class="c"># one</span>' in made
    assert html.unescape(re.sub(r"</?span[^>]*>", "", made)) == code


@pytest.mark.parametrize("language", ["", "no such language", "<script>", "__proto__", "../x", "text"])
def test_code_of_an_unknown_language_is_plain(language: str) -> None:
    assert coloured("a < b", language) == "a &lt; b"


@pytest.mark.parametrize("language", ["c++", "C#", "JSX", "py", "sh", "yaml", "html+jinja"])
def test_a_fence_names_its_language_in_any_usual_way(language: str) -> None:
    rendered = render(f"```{language} title=x\nif x: 1\n```").html or ""
    assert f'<span class="lang">{language}</span>' in rendered


def test_code_that_takes_too_long_stays_without_colour() -> None:
    assert "<span" not in coloured("x = 1\n" * 50, "python", deadline=time.thread_time() - 1)
    assert "<span" not in coloured("x = 1\n" * 5000, "python"), "too long a block"
    assert "<span" not in coloured("\n" * 500, "java"), "a run that lexers take quadratic time for"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * 100_001, "longer than 100,000 characters"),
        ("|a" * 100 + "|\n" + "|-" * 100 + "|\n" + "b\n" * 500, "its tables may have more than 40,000 cells"),
    ],
)
def test_what_is_not_rendered_says_why(text: str, why: str) -> None:
    assert render(text).why_plain == why


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000, "> " * 25_000, "*a " * 16_000, "`" * 50_000, "- " * 25_000, "<" * 50_000, "![" * 25_000,
        "|x" * 50 + "|\n" + "|-" * 50 + "|\n" + "a\n" * 20_000,
        *(
            f"```{language}\n{one * 9000}\n```"
            for language in ("java", "matlab", "makefile")
            for one in ("\n", " \n", "1", "a ")
        ),
    ],
    ids=range(20),
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    began = time.thread_time()
    render(text)
    assert time.thread_time() - began < 8
