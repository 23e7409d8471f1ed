"""The records of lm-eval's ``samples_*.jsonl`` of our tasks, as they stand in the file: documents, answers, games."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from codearena_plugin.errors import DataError
from codearena_plugin.interchange.reading import NO_KEY, SourceFile, prompt_id_of, refuse
from codearena_plugin.judging.ledger import game_from_json
from codearena_plugin.judging.protocol.parse import read_verdict
from codearena_plugin.prompts.files import read_rows
from codearena_plugin.prompts.rows import parse_row
from codearena_plugin.records import ORDERS, Category, Game, Prompt, Reply

_NO_GAME = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Line(NamedTuple):
    """One record: where it stands, the id of its prompt, its document, and all of it."""

    where: str
    prompt_id: str
    doc: Mapping[str, Any]
    row: Mapping[str, Any]


@dataclass(frozen=True)
class Samples:
    """The records of one file's first filter, in the order of the documents.

    Attributes:
        are_games: the documents are judge prompts (task ``judge_codearena``), the responses a judge's replies.
    """

    file: Path
    lines: tuple[Line, ...]
    source: SourceFile
    are_games: bool

    @property
    def prompt_ids(self) -> list[str]:
        """The prompts, in order."""
        return list(dict.fromkeys(line.prompt_id for line in self.lines))


def read_samples(file: Path) -> Samples:
    """Return the records of a file; those of other filters repeat the first one's and are counted as skipped.

    Raises:
        DataError: a line is no record of our tasks, or a document is there twice; names file and line.
    """
    rows = [(f"{file}:{number}", row) for number, row in read_rows(file)]
    if not rows:
        msg = f"{file}: no line in it; expected lm-eval's samples."
        raise DataError(msg)
    first_filter = rows[0][1].get("filter")
    kept = [_line(where, row) for where, row in rows if row.get("filter") == first_filter]
    are_games = "game" in kept[0].doc
    places: dict[tuple[str, str], str] = {}
    for line in kept:
        if ("game" in line.doc) != are_games:
            refuse(line.where, "doc", line.doc, "documents of one task throughout")
        key = (line.prompt_id, str(line.doc.get("order")))
        if key in places:
            msg = f"{line.where}: the document {line.prompt_id[:80]!r} was there before, in {places[key]}."
            raise DataError(msg)
        places[key] = line.where
    kept.sort(key=_doc_id)  # several processes write theirs one after the other
    return Samples(file, tuple(kept), SourceFile.of(file, len(rows), len(rows) - len(kept)), are_games)


def games_of(line: Line, *, is_game: bool) -> list[Game]:
    """Return the games of a record, as the task judged them.

    Args:
        line: a record.
        is_game: its response is a judge's reply; where nobody has read it yet (``--predict_only``), it is read here.

    Raises:
        DataError: they are no games of this prompt.
    """
    if "judgement" not in line.row:
        return [_unread_game(line)] if is_game else []
    judgement = line.row["judgement"]
    found = judgement.get("games") if isinstance(judgement, dict) else None
    if not isinstance(found, list):
        refuse(line.where, "judgement", judgement, "an object with the games that were played")
    try:
        games = [game_from_json(_checked(row)) for row in found]
    except _NO_GAME as exc:
        msg = f"{line.where}: field 'judgement': not a game ({type(exc).__name__}: {str(exc)[:200]})."
        raise DataError(msg) from exc
    orders = [game.order for game in games]
    if any(game.prompt_id != line.prompt_id for game in games) or len(set(orders)) < len(orders):
        refuse(line.where, "judgement", orders, f"one game per order, all of {line.prompt_id[:80]!r}")
    return games


def response(line: Line) -> str:
    """Return the first response of a record."""
    match line.row["resps"]:
        case [[str(text), *_], *_]:
            return text
        case other:
            return refuse(line.where, "resps", other, "a list of lists of text")


def prompt_of(line: Line, baseline: str) -> Prompt:
    """Return the prompt that a document was made from, with the class and the languages that it had then."""
    prompt = parse_row(suite_row(line, baseline), where=line.where)
    main, sub, languages = (line.doc.get(name) for name in ("class", "sub_class", "languages"))
    known = Category(main, sub) if isinstance(main, str) and isinstance(sub, str) else None
    return replace(prompt, category=known, languages=tuple(languages or ()))


def suite_row(line: Line, baseline: str) -> dict[str, Any]:
    """Return a document as the row of a suite file that it was made from."""
    doc = line.doc
    if not isinstance(doc.get("baseline"), str):
        refuse(line.where, "doc.baseline", doc.get("baseline"), "the baseline's answer")
    return {
        "id": line.prompt_id,
        "messages": doc["messages"],
        "main_class": doc.get("class"),
        "sub_class": doc.get("sub_class"),
        "programming_language": doc.get("languages"),
        "difficulty": doc.get("difficulty"),
        "natural_language": doc.get("natural_language"),
        f"{baseline}_response": doc["baseline"],
    }


def _line(where: str, row: Mapping[str, Any]) -> Line:
    doc = row.get("doc")
    if not isinstance(doc, dict) or "messages" not in doc or "resps" not in row:
        refuse(where, "doc", doc, "a document of our tasks with its 'resps', as lm-eval's --log_samples writes it")
    return Line(where, prompt_id_of(doc, where), doc, row)


def _doc_id(line: Line) -> int:
    doc_id = line.row.get("doc_id")
    if isinstance(doc_id, bool) or not isinstance(doc_id, int):
        refuse(line.where, "doc_id", doc_id, "a whole number")
    return doc_id


def _checked(row: Any) -> Any:
    """Return a game's row, if what it says of its replies is of the right kind; whoever reads it later relies on it."""
    for reply in row["replies"]:
        texts = [reply[name] for name in ("finish_reason", "refusal", "served_model")]
        counts = [reply[name] for name in ("prompt_tokens", "completion_tokens")]
        seconds = reply["latency_s"]
        if (
            not all(text is None or isinstance(text, str) for text in texts)
            or not all(count is None or isinstance(count, int) for count in counts)
            or not isinstance(reply["attempts"], int)
            or not (isinstance(seconds, int | float) and math.isfinite(seconds))
        ):
            msg = f"a reply with {texts}, {counts}, {reply['attempts']!r} attempts, {seconds!r} s"
            raise TypeError(msg)
    return row


def _unread_game(line: Line) -> Game:
    order = line.doc.get("order")
    if order not in ORDERS:
        refuse(line.where, "doc.order", order, f"one of {', '.join(ORDERS)}")
    reply = Reply(text=response(line))
    return Game(line.prompt_id, order, (NO_KEY,), (reply,), read_verdict([reply]))
