"""Games of runs as rows: schema ``codearena-verdicts/1``, one row per game, for JSON lines and for tables.

A row stands for itself: it names suite, judge, model and prompt, so rows of several runs can lie in one file. What is
not known is ``null``; nothing is ever NaN. ``COLUMNS`` lists the fields with their types:

====================  ==================================================================================================
schema                ``"codearena-verdicts/1"``
run                   name of the run's directory; its whole path where another run's has the same name
imported              format that the run was imported from; ``null`` for a run that was judged here
withheld              why the run has no score; ``null`` if it has one. Read no rate without it
suite, fingerprint    suite and the sha256 of what was asked; rows compare within one fingerprint
is_demo               prompts for trying things out
model, baseline       whose answer was judged, and with whose it was compared
judge_model, card     who judged, by which judge card and version
prompt_sha256         of the judge prompt; ``"unknown"`` where an import does not say
mode                  how replies were read: ``default`` or ``reference``
prompt_id             of the question
class, sub_class      of the question, as the tables name them (``unclassified`` if it has none)
languages             programming languages, ``["general"]`` if none
difficulty            ``easy``, ``medium``, ``hard`` or ``unstated``
natural_language      ``en`` or ``zh``. These five are ``null`` where the suite was not at hand
order                 ``baseline_first`` (A is the baseline) or ``answer_first``
status                ``scored``, or why not: ``unparsable``, ``conflicting``, ``truncated``, ``refused``,
                      ``transport-error``, ``skipped``
label                 ``A>>B`` … ``B>>A``; ``null`` unless scored
points                of the answer in this game, -2 … 2; ``null`` unless scored
outcome               of the prompt, both games joined: 1.0 win, 0.5 tie, 0.0 loss; ``null`` unscored
outcome_points        their sum; ``null`` unscored
consistent            whether both games name one winner; ``null`` where one of them has none
reason                why a game was not scored
cached                the reply came from the store
request_keys          sha256 of each request, first try first (empty text: not known)
served_model          snapshot that answered last, as its server named it
finish_reason         why the last reply ended
prompt_tokens         of all requests of the game; ``null`` where one does not say
completion_tokens     likewise
latency_s             of all requests of the game, in seconds; ``null`` where no request was seen
replies               only where asked for: the judge's texts, first try first
====================  ==================================================================================================
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.records import Game, Outcome, Usage
from codearena_plugin.runs.compare import stored_outcomes
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.runs.imported import is_imported
from codearena_plugin.runs.strata import StrataOf
from codearena_plugin.scoring.points import game_points

SCHEMA = "codearena-verdicts/1"
ColumnType = Literal["text", "texts", "flag", "whole", "number"]
COLUMNS: Mapping[str, ColumnType] = {
    "schema": "text",
    "run": "text",
    "imported": "text",
    "withheld": "text",
    "suite": "text",
    "fingerprint": "text",
    "is_demo": "flag",
    "model": "text",
    "baseline": "text",
    "judge_model": "text",
    "card": "text",
    "prompt_sha256": "text",
    "mode": "text",
    "prompt_id": "text",
    "class": "text",
    "sub_class": "text",
    "languages": "texts",
    "difficulty": "text",
    "natural_language": "text",
    "order": "text",
    "status": "text",
    "label": "text",
    "points": "whole",
    "outcome": "number",
    "outcome_points": "whole",
    "consistent": "flag",
    "reason": "text",
    "cached": "flag",
    "request_keys": "texts",
    "served_model": "text",
    "finish_reason": "text",
    "prompt_tokens": "whole",
    "completion_tokens": "whole",
    "latency_s": "number",
}
REPLIES = "replies"  # one more column, of texts, where it is asked for


def run_names(runs: Sequence[StoredRun]) -> list[str]:
    """Return a name for each run that no other of them has: of its directory, or its whole path."""
    paths = [run.path.resolve() for run in runs]
    n_named = Counter(path.name for path in paths)
    return [path.name if n_named[path.name] == 1 else str(path) for path in paths]


def verdict_rows(
    run: StoredRun, strata: StrataOf | None, *, replies: bool = False, name: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield one row per game of a run, in the order of its verdict file.

    Args:
        run: as it was loaded.
        strata: of its prompts (``runs.strata``); ``None`` where they are not known.
        replies: with the judge's texts.
        name: of the run among others (``run_names``); ``None``: of its directory.
    """
    of_run = _of_run(run, name or run.path.resolve().name)
    outcomes = {outcome.prompt_id: outcome for outcome in stored_outcomes(run)}
    for game in run.games:
        row = {**of_run, **_of_prompt(game.prompt_id, strata), **_of_game(game), **_joined(outcomes[game.prompt_id])}
        ordered = {name: row[name] for name in COLUMNS}
        yield {**ordered, REPLIES: [reply.text for reply in game.replies]} if replies else ordered


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as JSON lines, all or nothing, and return how many.

    Raises:
        DataError: the file cannot be written.
    """
    n = 0

    def counted() -> Iterator[str]:
        nonlocal n
        for line in jsonl_lines(rows):
            n += 1
            yield line

    try:
        write_atomically(path, counted(), encoding="ascii")
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}."
        raise DataError(msg) from exc
    return n


def jsonl_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield rows as JSON lines, each with its end, in ASCII."""
    return (json.dumps(row, allow_nan=False) + "\n" for row in rows)


def _of_run(run: StoredRun, name: str) -> dict[str, Any]:
    manifest = run.result["manifest"]
    suite, judge = manifest["suite"], manifest["judge"]
    return {
        "schema": SCHEMA,
        "run": name,
        "imported": manifest["imported"]["format"] if is_imported(manifest) else None,
        "withheld": run.result["withheld"],
        "suite": suite["name"],
        "fingerprint": suite["fingerprint"],
        "is_demo": suite["is_demo"],
        "model": run.model,
        "baseline": suite["baseline"],
        "judge_model": judge["model"],
        "card": judge["card"],
        "prompt_sha256": judge["prompt_sha256"],
        "mode": judge["mode"],
    }


def _of_prompt(prompt_id: str, strata: StrataOf | None) -> dict[str, Any]:
    def names(kind: str) -> Sequence[str] | None:
        return None if strata is None else strata[kind].get(prompt_id)

    def only(kind: str) -> str | None:
        return next(iter(names(kind) or ()), None)

    languages = names("language")
    return {
        "prompt_id": prompt_id,
        "class": only("class"),
        "sub_class": only("sub_class"),
        "languages": None if languages is None else list(languages),
        "difficulty": only("difficulty"),
        "natural_language": only("natural_language"),
    }


def _of_game(game: Game) -> dict[str, Any]:
    verdict = game.verdict
    last = game.replies[-1] if game.replies else None
    usages = [reply.usage for reply in game.replies]
    was_asked = any(reply.attempts for reply in game.replies)  # an import knows nothing of its requests
    return {
        "order": game.order,
        "status": verdict.status,
        "label": verdict.label,
        "points": None if verdict.label is None else game_points(verdict.label, game.order),
        "reason": verdict.reason,
        "cached": game.cached,
        "request_keys": list(game.request_keys),
        "served_model": last.served_model if last else None,
        "finish_reason": last.finish_reason if last else None,
        "prompt_tokens": _total(usages, "prompt_tokens"),
        "completion_tokens": _total(usages, "completion_tokens"),
        "latency_s": sum(reply.latency_s for reply in game.replies) if was_asked else None,
    }


def _joined(outcome: Outcome) -> dict[str, Any]:
    return {"outcome": outcome.score, "outcome_points": outcome.points, "consistent": outcome.consistent}


def _total(usages: Sequence[Usage], name: str) -> int | None:
    counts = [getattr(usage, name) for usage in usages]
    return sum(counts) if counts and None not in counts else None
