"""HTML as values: text cannot become markup, whatever it is and wherever it enters."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hostile_runs import RUNS_SCRIPT
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.report.page.elements import Html, data_block, element, escaped, joined


class Read(HTMLParser):
    """What a parser sees: start tags with their attributes, and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("text", RUNS_SCRIPT)
def test_hostile_text_stays_text_as_a_child_and_as_an_attribute(text: str) -> None:
    read = Read(element("p", text, title=text))
    assert [tag for tag, _ in read.tags] == ["p"]
    assert read.tags[0][1] == {"title": text}
    assert read.text == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_any_text_comes_back_from_a_parser_as_it_went_in(text: str) -> None:
    read = Read(element("p", text, title=text))
    assert (read.tags, read.text) == ([("p", {"title": text})], text)


def test_what_hides_is_shown_in_text_and_in_attributes() -> None:
    made = element("p", "a\u202eb\x00", title="\u2066\ud800")
    assert made == '<p title="&lt;U+2066&gt;&lt;U+D800&gt;">a&lt;U+202E&gt;b␀</p>'


def test_an_attribute_of_zero_is_kept_and_one_that_is_false_is_not() -> None:
    assert element("div", tabindex=0, hidden=False, autofocus=True, title=None) == '<div tabindex="0" autofocus></div>'


def test_elements_nest_without_being_escaped_twice() -> None:
    inner = element("b", "<")
    assert element("p", inner, "&", None) == "<p><b>&lt;</b>&amp;</p>"
    assert joined([inner, "<"]) == "<b>&lt;</b>&lt;"
    assert isinstance(joined(["a"]), Html)
    assert element("input", type="search") == '<input type="search">'
    assert escaped("<") == "&lt;"


@pytest.mark.parametrize("text", ["</script><script>x", "<!--<script>", "]]>", "\u2028\u2029", "\ud800", '"\\'])
def test_nothing_in_a_data_block_can_end_it(text: str) -> None:
    made = data_block("index", {text: [text]})
    inside = made.removeprefix('<script type="application/json" id="index">').removesuffix("</script>")
    assert not set("<>&") & set(inside)
    assert inside.isascii()
    assert json.loads(inside) == {text: [text]}
