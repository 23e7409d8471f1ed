"""Write the page: texts are rendered and packed prompt by prompt, on several processors where there are many."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import codearena_plugin
from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.report.page.elements import Html, element
from codearena_plugin.report.page.gather import Material
from codearena_plugin.report.page.index import index_of
from codearena_plugin.report.page.texts import PromptTexts, packed, packed_by_many
from codearena_plugin.report.tables.named import Table
from codearena_plugin.report.untrusted import visible

_MANY_CHARACTERS = 5_000_000  # one processor renders a million in about a second; starting others takes half of that
_NO_TEXTS = "The texts were left out of this file; codearena show RUN PROMPT shows them."

_MADE_BY = "codearena-plugin"
_MARK = f'<meta name="generator" content="{_MADE_BY} '.encode("ascii")
_START = 4096  # bytes at the start of a page; the mark stands there, before the style sheet


def generator() -> Html:
    """Return the element that says what made a page, for its head."""
    return element("meta", name="generator", content=f"{_MADE_BY} {codearena_plugin.__version__}")


def is_page(path: Path) -> bool:
    """Return whether a file is a page that this package made: then a later one may take its place."""
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError:
        return False
    return start.startswith(b"<!doctype html>") and _MARK in start


def write_page(
    path: Path,
    board: Mapping[str, Any],
    tables: Sequence[Table],
    material: Material,
    *,
    with_texts: bool = True,
    observe: Callable[[int, int], None] | None = None,
) -> None:
    """Write the page into one file, in the place of an old one only when it is whole.

    Args:
        path: of the file.
        board: of schema ``codearena-leaderboard/1``.
        tables: of the board and its runs.
        material: of the same runs.
        with_texts: put questions, answers and replies into the file.
        observe: called with how many prompts are done and how many there are.

    Raises:
        DataError: the file cannot be written.
        MissingExtraError: an optional package is not installed.
    """
    from codearena_plugin.report.page.document import document  # it needs matplotlib

    questions = material.questions if with_texts else {}
    missing = material.missing if with_texts else [_NO_TEXTS for _ in material.runs]
    index = index_of(material.runs, material.prompt_ids, questions, material.strata, missing)
    pieces = document(
        board,
        tables,
        material,
        index,
        notes=material.notes if with_texts else (_NO_TEXTS,),
        blocks=_blocks(material, observe) if with_texts else (),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, pieces)
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}. Free the disk or choose another file."
        raise DataError(msg) from exc


def _blocks(material: Material, observe: Callable[[int, int], None] | None) -> Iterator[tuple[str, str]]:
    ids = material.prompt_ids
    searched = json.dumps([visible(material.searched(prompt_id)) for prompt_id in ids], ensure_ascii=False)
    yield "questions", base64.b64encode(gzip.compress(searched.encode("utf-8"), 6, mtime=0)).decode("ascii")
    chunks = _packed([material.texts_of(prompt_id) for prompt_id in ids], _characters(material))
    for place, made in enumerate(chunks):
        yield f"chunk-{place}", made
        if observe is not None:
            observe(place + 1, len(ids))


def _characters(material: Material) -> int:
    return sum(len(answer.text) for run in material.runs for answer in run.stored.answers)


def _packed(prompts: Sequence[PromptTexts], n_characters: int) -> Iterator[str]:
    """Yield the chunks in order."""
    return map(packed, prompts) if n_characters < _MANY_CHARACTERS else packed_by_many(prompts)
