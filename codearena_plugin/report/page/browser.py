"""The browser of verdicts as HTML: filters, a list, a dialog. What fills them is in ``page.js``."""

from __future__ import annotations

from collections.abc import Sequence

from codearena_plugin.report.page.elements import Html, element, joined
from codearena_plugin.report.tables.named import KINDS

_FILTERS = (
    ("model", "Model"),
    ("outcome", "Outcome"),
    ("class", "Class"),
    ("sub_class", "Sub-class"),
    ("language", "Language"),
    ("difficulty", "Difficulty"),
    ("natural_language", "Natural language"),
    ("orders", "The two orders"),
    ("status", "Failed games"),
    ("sort", "Sort"),
)
_KEYS = (
    ("/", "search"),
    ("j k", "down and up"),
    ("Enter", "open"),
    ("h l", "in a verdict: other model"),
    ("r", "raw text"),
    ("Esc", "close"),
)
_OLD = (
    "This browser cannot unpack the texts (it has no DecompressionStream; Chrome 80, Firefox 113 and Safari 16.4 have "
    "it). Tables, filters and the list work; verdicts cannot be opened."
)
_NO_SCRIPT = "The list of verdicts needs JavaScript, from this file alone. The tables above do not."


def browser(kinds: Sequence[str], notes: Sequence[str], *, has_texts: bool) -> Html:
    """Return the section with the verdicts.

    Args:
        kinds: of strata that can be filtered by.
        notes: what a reader must know about the texts, as that the question is not at hand.
        has_texts: are texts in the file at all?
    """
    filters = [_filter(name, label) for name, label in _FILTERS if name not in KINDS or name in kinds]
    search = element(
        "label",
        "Search ids and questions",
        element("input", id="search", type="search", autocomplete="off", spellcheck="false"),
        class_="search",
    )
    callouts = [element("p", note, class_="callout") for note in notes]
    card = element(
        "div",
        element("div", search, *filters, class_="filters", role="search"),
        _counts(),
        element("p", id="lost", class_="pad quiet", hidden=True),
        element(
            "div",
            element("div", id="sheet", role="presentation"),
            element("p", "No verdict fits these filters.", id="nothing", class_="empty", hidden=True),
            id="list",
            role="listbox",
            tabindex=0,
            aria_label="Verdicts",
        ),
        element("p", *_keys(), class_="keys"),
        class_="card",
    )
    lead = "Every verdict can be opened: the question, both answers, what the judge said and why it counts as it does."
    return element(
        "section",
        element("h2", "Verdicts"),
        element("p", lead if has_texts else "The texts were left out of this file.", class_="note"),
        *callouts,
        element("p", _OLD, class_="callout", id="old", hidden=True),
        element("noscript", element("p", _NO_SCRIPT, class_="callout")),
        card,
        id="verdicts",
    )


def dialog() -> Html:
    """Return the dialog that shows one verdict."""
    tools = element(
        "div",
        _button("previous", "‹ Previous"),
        _button("next", "Next ›"),
        element("span", id="verdict-place", class_="small quiet"),
        element("span", class_="gap"),
        element("select", id="verdict-model", aria_label="Model"),
        element("button", "Raw text", type="button", id="raw", class_="button", aria_pressed="false"),
        _button("close", "Close"),
        class_="tools",
    )
    title = element(
        "h2",
        element("span", id="verdict-mark", class_="mark"),
        element("span", id="verdict-id", class_="id"),
        id="verdict-title",
    )
    head = element("div", tools, title, element("p", id="verdict-why", class_="why"), class_="head")
    body = element("div", id="verdict-body", class_="body", tabindex=0)
    return element("dialog", element("div", head, body), id="verdict", aria_labelledby="verdict-title")


def _filter(name: str, label: str) -> Html:
    first = "as in the suite" if name == "sort" else "any"
    return element("label", label, element("select", element("option", first, value=""), id=f"by-{name}"))


def _counts() -> Html:
    words = {"w": "won", "t": "tied", "l": "lost", "u": "not scored"}
    counted = [
        element("span", element("span", class_=f"mark {sign}"), element("b", id=f"n-{sign}"), f" {word}")
        for sign, word in words.items()
    ]
    all_of = element("span", element("b", id="n-shown"), " of ", element("span", id="n-all"), " verdicts")
    swayed = element(
        "span", element("b", id="n-swayed"), " ⇄ orders disagree", title="the games name different winners"
    )
    reset = element("button", "Reset filters", type="button", id="reset", class_="button")
    return element("div", all_of, *counted, swayed, reset, class_="sum", aria_live="polite")


def _keys() -> list[Html]:
    return [joined([*(element("kbd", key) for key in keys.split()), f" {what}", "   "]) for keys, what in _KEYS]


def _button(name: str, text: str) -> Html:
    return element("button", text, type="button", id=name, class_="button")
