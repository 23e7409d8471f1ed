"""What an opened verdict shows: question, answers, replies and why, of one prompt and all runs, as one packed chunk.

A chunk is a JSON object, gzipped, in base64. Texts stand in it once and are named by their number:
``{"texts": [{"raw", "html"?, "plain"?}], "question": [[role, text]], "baselines": [text or null, one a run],
"answers": [{"text" or null, "trace"?, "ended"?, "absent"?} or null, one a run], "games": [[game], one list a run],
"why": [sentence or null, one a run], "evidence"?: [{"note", "sides": [blocks of the answer, of the baseline]} or null,
one a run]}``, a block being ``{"name", "sign", "grade", "said", "excerpt"?, "shot"?}``
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from codearena_plugin.reasoning import strip_reasoning
from codearena_plugin.records import Answer, Game, Message, Outcome, Reply
from codearena_plugin.report.evidence.parts import SeenEvidence, evidence_parts
from codearena_plugin.report.page.markup import render
from codearena_plugin.report.untrusted import one_line, visible
from codearena_plugin.scoring.points import game_points

_LONGEST_NAME = 120
_ABSENT = "its verdicts were imported without the answers"
_MOST_WORKERS = 8
_COMMAND = "from codearena_plugin.report.page.texts import serve; serve()"
_OUTCOMES: Mapping[float, str] = {1.0: "a win", 0.5: "a tie", 0.0: "a loss"}


@dataclass(frozen=True)
class Played:
    """One run's part in a prompt: its answer, the baseline's, the games and the outcome."""

    model: str
    opponent: str
    baseline: str | None
    answer: Answer
    games: tuple[Game, ...]
    outcome: Outcome
    evidence: SeenEvidence | None = None


@dataclass(frozen=True)
class PromptTexts:
    """All that there is to read about one prompt; ``played`` holds ``None`` for runs that did not ask it."""

    question: tuple[Message, ...]
    played: tuple[Played | None, ...]


def packed(prompt: PromptTexts) -> str:
    """Return the chunk of one prompt: base64 of gzipped JSON. Equal input gives equal output."""
    plain = json.dumps(chunk(prompt), separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    return base64.b64encode(gzip.compress(plain, 6, mtime=0)).decode("ascii")


def chunk(prompt: PromptTexts) -> dict[str, Any]:
    """Return the chunk of one prompt as plain data."""
    texts = _Texts()
    shown = prompt.played
    evidence = [evidence_parts(p.evidence, texts.raw) if p and p.evidence else None for p in shown]
    question = [[one_line(message.role, 40), texts.add(message.content)] for message in prompt.question]
    baselines = [texts.add(p.baseline) if p and p.baseline is not None else None for p in shown]
    return {
        "question": question,
        "baselines": baselines,
        "answers": [_answer(p.answer, texts) if p else None for p in shown],
        "games": [[_game(game, p, texts) for game in p.games] if p else [] for p in shown],
        "why": [_why(p) if p else None for p in shown],
        **({"evidence": evidence} if any(evidence) else {}),
        "texts": texts.found,
    }


class _Texts:
    """Texts by number, each once: a baseline meets every model, and a judge often says the same."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []
        self._places: dict[tuple[str, bool], int] = {}

    def add(self, text: str, *, is_markdown: bool = True) -> int:
        """Return the number of a text; Markdown is rendered, or says why it is not."""
        key = (text, is_markdown)
        if key not in self._places:
            self._places[key] = len(self.found)
            self.found.append(_markdown(text) if is_markdown else {"raw": visible(text)})
        return self._places[key]

    def raw(self, text: str) -> int:
        """Return the number of a text that is shown as it is."""
        return self.add(text, is_markdown=False)


def _markdown(text: str) -> dict[str, str]:
    rendered = render(text)
    if rendered.html is None:
        return {"raw": visible(text), "plain": str(rendered.why_plain)}
    return {"raw": visible(text), "html": rendered.html}


def _answer(answer: Answer, texts: _Texts) -> dict[str, Any]:
    if answer.is_absent:
        return {"text": None, "absent": _ABSENT}
    seen, had_trace = strip_reasoning(answer.text)
    found: dict[str, Any] = {"text": texts.add(seen)}
    if had_trace:
        found["trace"] = texts.add(answer.text, is_markdown=False)
    if answer.finish_reason not in {None, "stop"}:
        found["ended"] = one_line(str(answer.finish_reason), _LONGEST_NAME)
    return found


def _game(game: Game, played: Played, texts: _Texts) -> dict[str, Any]:
    verdict = game.verdict
    return {
        "order": game.order,
        "status": verdict.status,
        "label": verdict.label,
        "points": None if verdict.label is None else game_points(verdict.label, game.order),
        "said": said(game, played),
        "replies": [_reply(reply, texts) for reply in game.replies],
    }


def said(game: Game, played: Played) -> str:
    """Return what a game's verdict says about the two models, in words; or what came of the game instead."""
    if game.verdict.label is None:
        return one_line(
            f"{game.verdict.status}: {game.verdict.reason}" if game.verdict.reason else game.verdict.status, 500
        )
    points = game_points(game.verdict.label, game.order)
    if points == 0:
        return "both answers are equally good"
    better = one_line(played.model if points > 0 else played.opponent, _LONGEST_NAME)
    return f"{better} is {'much' if abs(points) > 1 else 'slightly'} better"


def _reply(reply: Reply, texts: _Texts) -> dict[str, Any]:
    usage = reply.usage
    about = [
        f"by {reply.served_model}" if reply.served_model else "",
        f"finish reason {reply.finish_reason}" if reply.finish_reason else "",
        "" if usage.prompt_tokens is None else f"{usage.prompt_tokens:,} + {usage.completion_tokens:,} tokens",
    ]
    found: dict[str, Any] = {"about": one_line(", ".join(filter(None, about)), 300)}
    if reply.error is not None:
        found["error"] = one_line(f"{reply.error.kind}: {reply.error.message}", 500)
    elif reply.refusal:
        found["refused"] = texts.add(reply.refusal, is_markdown=False)
    else:
        found["text"] = texts.add(reply.text, is_markdown=False)
    return found


def _why(played: Played) -> str:
    """Return how the outcome follows from the games, in one sentence."""
    model = one_line(played.model, _LONGEST_NAME)
    points = [
        None if game.verdict.label is None else game_points(game.verdict.label, game.order) for game in played.games
    ]
    outcome = played.outcome
    if outcome.score is None or outcome.points is None:
        n_failed = sum(value is None for value in points)
        why = f"{n_failed} of {len(points)} games gave no verdict" if points else "no game was played"
        return f"Not scored: {why}, and no number comes from a failure."
    summed = " ".join(_term(value, first=i == 0) for i, value in enumerate(points))
    sign = ">" if outcome.points > 0 else "<" if outcome.points < 0 else "="
    total = f"{outcome.points:+d} point{'' if abs(outcome.points) == 1 else 's'}".replace("-", "−")
    total = total if outcome.points else "0 points"
    compared = f" {sign} 0" if outcome.points else ""
    zero = " (a failed game counts 0 in reference mode)" if None in points else ""
    return f"{_OUTCOMES[outcome.score].capitalize()} for {model}: {summed} = {total}{compared}{zero}."


def _term(value: int | None, *, first: bool) -> str:
    number = abs(value or 0)
    sign = "−" if (value or 0) < 0 else "+" if not first or value else ""
    return f"{sign}{number}" if first else f"{sign} {number}"


def packed_by_many(prompts: Sequence[PromptTexts]) -> Iterator[str]:
    """Yield the chunk of every prompt, in order, from several processes; what one that died left is made here.

    Each is a new interpreter that reads prompts and writes chunks. Not ``multiprocessing``: a forked copy of a process
    with numpy's threads may hang, and a spawned one runs the caller's main script again.
    """
    n = min(_MOST_WORKERS, os.cpu_count() or 1, len(prompts))
    if n < 2 or not sys.executable:
        yield from map(packed, prompts)
        return
    workers = [_start() for _ in range(n)]
    try:
        for place, worker in enumerate(workers):
            threading.Thread(target=_feed, args=(worker.stdin, prompts[place::n]), daemon=True).start()
        for place, prompt in enumerate(prompts):
            output = workers[place % n].stdout
            line = output.readline() if output else b""
            yield line[:-1].decode("ascii") if line.endswith(b"\n") else packed(prompt)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            for pipe in (worker.stdin, worker.stdout):
                with contextlib.suppress(OSError):
                    pipe.close() if pipe else None


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _COMMAND]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  ourselves


def _feed(pipe: IO[bytes], prompts: Sequence[PromptTexts]) -> None:
    with contextlib.suppress(OSError, ValueError):  # the process died, or is no longer needed
        for prompt in prompts:
            pickle.dump(prompt, pipe)
        pipe.flush()
        pipe.close()


def serve() -> None:
    """Read prompts from standard input and write their chunks to standard output, a line each, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            prompt: PromptTexts = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own process
            sys.stdout.buffer.write(packed(prompt).encode("ascii") + b"\n")
            sys.stdout.buffer.flush()
