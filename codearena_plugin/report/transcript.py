"""One prompt of a run, word for word: question, both answers, what the judge said and how it was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from codearena_plugin.evidence.record import SideRow
from codearena_plugin.records import Game, Outcome, Prompt, Reply, Status
from codearena_plugin.report.evidence.lines import print_blocks
from codearena_plugin.report.evidence.parts import RunEvidence
from codearena_plugin.report.facts import caveats
from codearena_plugin.report.table import facts_table
from codearena_plugin.report.untrusted import beginning, one_line
from codearena_plugin.runs.compare import stored_outcomes
from codearena_plugin.runs.files import StoredRun
from codearena_plugin.scoring.points import game_points

_SHOWN_CHARACTERS = 4000
_EMPTY = "(empty)"
_ABSENT = "(not in the run: its verdicts were imported without the answers)"
_OUTCOMES: Mapping[float | None, str] = {1.0: "win", 0.5: "tie", 0.0: "loss", None: "not scored"}


def print_list(console: Console, run: StoredRun, *, status: Status | None = None) -> None:
    """Print every prompt, or those with a game of that status: its outcome and how its games ended."""
    _print_caveats(console, run)
    games = _by_prompt(run.games)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("prompt", "outcome", "points", "games", "reason"):
        table.add_column(name, overflow="fold", justify="right" if name == "points" else "left")
    n = 0
    for outcome in stored_outcomes(run):
        played = games[outcome.prompt_id]
        if status is None or any(game.verdict.status == status for game in played):
            table.add_row(*_row(outcome, played))
            n += 1
    console.print(table)
    console.print(f"{n} of {len(run.answers)} prompts of {one_line(run.model)}; codearena show RUN PROMPT shows one")


def print_prompt(
    console: Console, run: StoredRun, prompt_id: str, prompt: Prompt | None, *, full: bool = False
) -> None:
    """Print one prompt; ``prompt`` is ``None`` where its suite is not at hand.

    Raises:
        DataError: the evidence in the run's directory is damaged.
    """
    _print_caveats(console, run)
    limit = None if full else _SHOWN_CHARACTERS
    baseline = str(run.result["manifest"]["suite"]["baseline"])
    answer = next(answer for answer in run.answers if answer.prompt_id == prompt_id)
    seen = RunEvidence(run).of(answer, prompt.baselines[baseline] if prompt is not None else None)
    if prompt is not None:
        for message in prompt.messages:
            _section(console, f"question ({message.role})", message.content, limit)
        _section(console, f"baseline: {baseline}", prompt.baselines[baseline], limit)
        if seen is not None:
            _print_code(console, baseline, seen.baseline, seen.note)
    _section(console, f"answer: {answer.model}", answer.text, limit, empty=_ABSENT if answer.is_absent else _EMPTY)
    if seen is not None:
        _print_code(console, answer.model, seen.answer, seen.note)
    for game in _by_prompt(run.games)[prompt_id]:
        _print_game(console, game, answer.model, baseline, limit)
    outcome = next(outcome for outcome in stored_outcomes(run) if outcome.prompt_id == prompt_id)
    points = "" if outcome.points is None else f", {outcome.points:+d} points for {one_line(answer.model)}"
    _rule(console, "outcome")
    console.print(f"{_OUTCOMES[outcome.score]}{points}")


def _print_caveats(console: Console, run: StoredRun) -> None:
    found = caveats(run.result["manifest"])
    if found:
        console.print(facts_table(found))


def _by_prompt(games: Sequence[Game]) -> Mapping[str, list[Game]]:
    found: dict[str, list[Game]] = defaultdict(list)
    for game in games:
        found[game.prompt_id].append(game)
    return found


def _row(outcome: Outcome, games: Sequence[Game]) -> tuple[str, str, str, str, str]:
    points = "–" if outcome.points is None else f"{outcome.points:+d}"
    reasons = dict.fromkeys(one_line(game.verdict.reason, 80) for game in games if game.verdict.reason)
    ended = ", ".join(game.verdict.label or game.verdict.status for game in games)
    return one_line(outcome.prompt_id), _OUTCOMES[outcome.score], points, ended, "; ".join(reasons)


def _print_game(console: Console, game: Game, model: str, baseline: str, limit: int | None) -> None:
    a, b = (baseline, model) if game.order == "baseline_first" else (model, baseline)
    _rule(console, f"game {game.order}: A is {a}, B is {b}")
    if not game.replies:
        console.print("no reply is in the run")
    for number, reply in enumerate(game.replies, 1):
        _print_reply(console, reply, f"reply {number} of {len(game.replies)}", limit)
    verdict = game.verdict
    if verdict.label is None:
        console.print(Text(f"verdict: {verdict.status}: {one_line(verdict.reason)}", style="bold"))
    else:
        points = game_points(verdict.label, game.order)
        console.print(Text(f"verdict: {verdict.label}, {points:+d} points for {one_line(model)}", style="bold"))


def _print_reply(console: Console, reply: Reply, title: str, limit: int | None) -> None:
    usage = reply.usage
    known = [
        f"by {reply.served_model}" if reply.served_model else "",
        f"finish reason {reply.finish_reason}" if reply.finish_reason else "",
        "" if usage.prompt_tokens is None else f"{usage.prompt_tokens} + {usage.completion_tokens} tokens",
    ]
    console.print(Text(one_line(", ".join([title, *filter(None, known)])), style="dim"))
    if reply.error is not None:
        console.print(Text(f"no reply: {reply.error.kind}: {one_line(reply.error.message)}"))
    elif reply.refusal:
        console.print(Text(beginning(reply.refusal, limit)), soft_wrap=True)
    else:
        console.print(Text(beginning(reply.text, limit)), soft_wrap=True)


def _print_code(console: Console, whose: str, row: SideRow | None, note: str) -> None:
    if row is not None:
        _rule(console, f"code of {whose}")
        console.print(Text(note, style="dim"), soft_wrap=True)
        print_blocks(console, row.blocks)


def _section(console: Console, title: str, text: str, limit: int | None, *, empty: str = _EMPTY) -> None:
    _rule(console, title)
    console.print(Text(beginning(text, limit) if text.strip() else empty), soft_wrap=True)


def _rule(console: Console, title: str) -> None:
    console.rule(Text(one_line(title, 90), style="bold"), align="left")
