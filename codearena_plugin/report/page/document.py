"""The document: what is read first comes first, the texts of verdicts come last, and nothing comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.report.gap.section import gap_section
from codearena_plugin.report.page import sections
from codearena_plugin.report.page.browser import browser, dialog
from codearena_plugin.report.page.elements import Html, data_block, element, joined
from codearena_plugin.report.page.gather import Material
from codearena_plugin.report.page.write import generator
from codearena_plugin.report.tables.named import Table

_LINKS = {
    "leaderboard": "Leaderboard",
    "differences": "Differences",
    "parts": "Classes",
    "style": "Style",
    "gap": "Gap",
    "judge": "Judge",
    "coverage": "Coverage",
    "cost": "Cost",
    "manifests": "Manifests",
}


def document(
    board: Mapping[str, Any],
    tables: Sequence[Table],
    material: Material,
    index: Mapping[str, Any],
    *,
    notes: Sequence[str],
    blocks: Iterable[tuple[str, str]],
) -> Iterator[str]:
    """Yield the page in pieces, in the order in which they stand in the file.

    Args:
        board: of schema ``codearena-leaderboard/1``.
        tables: of the board and its runs (``tables_of``).
        material: for the manifests, and for links to verdicts.
        index: of the verdicts (``index_of``).
        notes: on the texts, as why the question is not shown.
        blocks: id and packed content of what is unpacked when it is needed; taken one by one.
    """
    style, script = own_file("page.css"), own_file("page.js")
    found, link = {table.name: table for table in tables}, material.link
    parts = [
        sections.leaderboard(board, found["leaderboard"], link),
        sections.differences(board, found["differences"], link) if "differences" in found else None,
        sections.strata(board, link),
        sections.style(board, found, link),
        gap_section(material.gap, link) if material.gap else None,
        sections.reliability(board, found, link),
        sections.failures(found, link),
        sections.cost(found, link),
        browser([kind["kind"] for kind in index["kinds"]], notes, has_texts=bool(index["prompts"])),
        sections.manifests(material.named_runs),
    ]
    shown = [part for part in parts if part]
    yield "<!doctype html>\n"
    yield '<html lang="en">\n'
    yield element("head", *head(sections.title_of(board), style, script, has_pictures=material.has_pictures)) + "\n"
    yield "<body>\n"
    yield (
        joined([_bar(shown), element("main", sections.header(board), *shown, id="main"), _foot(board), dialog()]) + "\n"
    )
    yield data_block("index", index) + "\n"
    yield element("script", Html(script)) + "\n"
    # from here on nothing is seen: whoever reads the page need not wait for it
    for name, packed in blocks:
        yield element("script", Html(packed), type="application/gzip+base64", id=name) + "\n"
    yield "</body>\n</html>\n"


def policy(style: str, script: str = "", *, has_pictures: bool = False) -> str:
    """Return the page's content security policy: its own script and style by their hashes, and nothing else at all.

    A fragment of HTML can enter the page through the script's one named policy only, where the browser knows of such.
    A page without a script allows none. Pictures are part of the page, never fetched.
    """
    rules = [
        "default-src 'none'",
        f"script-src {_hash(script)}" if script else "script-src 'none'",
        f"style-src {_hash(style)}",
        *(["img-src data:"] if has_pictures else []),
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types codearena",
    ]
    return "; ".join(rules)


def head(title: str, style: str, script: str = "", *, has_pictures: bool = False) -> list[Html]:
    """Return what stands in the head of a page, the policy before all else."""
    return [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy(style, script, has_pictures=has_pictures)),
        generator(),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(style)),
    ]


def _bar(shown: Sequence[Html]) -> Html:
    present = [name for name in _LINKS if any(part.startswith(f'<section id="{name}"') for part in shown)]
    links = [element("a", _LINKS[name], href=f"#{name}") for name in present]
    verdicts = element("a", "Verdicts", href="#verdicts")
    theme = element("button", "Light / dark", type="button", id="theme", class_="button")
    skip = element("a", "Skip to the verdicts", href="#list", class_="skip")
    return joined([skip, element("div", element("div", element("nav", *links, verdicts), theme), class_="bar")])


def _foot(board: Mapping[str, Any]) -> Html:
    package, options = board["package"], board["options"]
    made = f"Made by {package['name']} {package['version']} on {board['created']}"
    how = f"{options['n_bootstraps']:,} resamples of the prompts, seed {options['seed']}"
    own = "This file needs no network and sends nothing anywhere."
    return element("footer", f"{made}; {how}. {own}", class_="foot")


def own_file(name: str) -> str:
    """Return a file of this package; its line ends are the browser's, or the hash in the policy would not fit."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
