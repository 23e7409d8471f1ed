"""The published numbers, corrected, and what must be equal before a user's run may be read beside them.

``published`` gives rows to set among a user's own, ``footnotes`` what their marks mean, ``comparability`` what of a run
is as in the paper and what is not.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from codearena_plugin.leaderboard.table3 import PublishedRow, Scope, load_table
from codearena_plugin.prompts.card import TaskCard, load_task_card
from codearena_plugin.prompts.suite import REFERENCE_MAX_WORDS

SOURCE = "arXiv:2412.05210v1, Table 3, corrected"

JUDGE_MODEL = "gpt-4o-2024-08-06"
JUDGE_CARD = "codearena-paper@1"  # as result.json writes it, "comparable_as"
SAMPLING: Mapping[str, float] = {"temperature": 0.2, "max_tokens": 16384}
ATTEMPTS = 2
PROMPT_COUNTS = (390, 392)  # the least and the most of a published row

_N_MARK = "n"
_N_FOOTNOTE = "n is 390 or 391: both fit what the paper prints, with the same wins and ties"


class Condition(NamedTuple):
    """One thing that decides whether two scores mean the same.

    Attributes:
        comparable: is the run's value the published one.
        remark: what would make it so; or, where it is so, what remains unknown. Empty if nothing is to be said.
    """

    what: str
    published: str
    yours: str
    comparable: bool
    remark: str


@functools.cache
def published() -> tuple[PublishedRow, ...]:
    """Return the 42 rows, the best corrected score first; equal scores in printed order.

    Raises:
        DataError: the package's own files are damaged.
    """
    return tuple(sorted(load_table(), key=lambda row: row.rank))


def marks(row: PublishedRow, scope: Scope = "overall") -> tuple[str, ...]:
    """Return the marks that a row carries in a table of overall rates, of classes, or of sizes."""
    is_open = row.n_also is not None and scope == "overall"
    return (*row.marks(scope), *([_N_MARK] if is_open else []))


def footnotes(used: Collection[str] | None = None) -> dict[str, str]:
    """Return mark -> one line, in order of the marks.

    Args:
        used: the marks of a table; ``None`` for all that exist.
    """
    every = {erratum.mark: erratum.footnote for row in published() for erratum in row.errata} | {_N_MARK: _N_FOOTNOTE}
    return {mark: every[mark] for mark in sorted(every) if used is None or mark in used}


def as_json(row: PublishedRow) -> dict[str, Any]:
    """Return a row as plain data: rates in [0, 1] with intervals, named as in a leaderboard's entries."""
    total = row.total
    return {
        "name": row.model,
        "rank": row.rank,
        "access": row.access,
        "size": row.size,
        "n_scored": total.n,
        "n_also": row.n_also,
        "wins": total.wins,
        "ties": total.ties,
        "losses": total.losses,
        "score": dataclasses.asdict(total.score),
        "win_rate": dataclasses.asdict(total.win_rate),
        "tie_rate": dataclasses.asdict(total.tie_rate),
        "loss_rate": dataclasses.asdict(total.loss_rate),
        "by_class": {
            name: {**dataclasses.asdict(counts), "score": dataclasses.asdict(counts.score)}
            for name, counts in row.by_class.items()
        },
        "printed": dict(row.printed),
        "marks": list(marks(row)),
        "errata": [dataclasses.asdict(erratum) for erratum in row.errata],
    }


def comparability(manifests: Sequence[Mapping[str, Any]]) -> list[Condition]:
    """Return what of runs is as in the paper, and what would make the rest so; of each condition the worst run's.

    How the answers were generated (the paper: greedy, at most 16,384 tokens) is not judged here: a run of stored
    answers does not know.

    Args:
        manifests: of the runs of a board, at least one, as ``result.json`` has them.
    """
    found = [_comparability(manifest) for manifest in manifests]
    worst = [min(same, key=lambda condition: condition.comparable) for same in zip(*found, strict=True)]
    baselines = sorted({str(manifest["suite"]["baseline"]) for manifest in manifests})
    if len(baselines) > 1:
        remedy = "give runs against one baseline: over several, a score is fitted and not a mean"
        worst.append(_same("method", "mean over one baseline", f"fit over {len(baselines)} baselines", remedy))
    return worst


def _comparability(manifest: Mapping[str, Any]) -> list[Condition]:
    suite, judge = manifest["suite"], manifest["judge"]
    card = load_task_card("codearena")
    asked = _described(judge["sampling"], judge["attempts"])
    return [
        _suite(card, suite),
        _prompts(card, suite),
        _same("baseline", card.baseline, suite["baseline"], f"set codearena_baseline={card.baseline}"),
        _judge_model(judge["model"]),
        _same("judge prompt", JUDGE_CARD, judge["comparable_as"], "set judge=codearena-paper"),
        _same("judge sampling", _described(SAMPLING, ATTEMPTS), asked, "use the card's own sampling and attempts"),
        _same("order", "both", judge["order"], "set judge_order=both"),
        _same("mode", "reference", judge["mode"], "set judge_mode=reference: a game that failed counts 0 points"),
    ]


def _same(what: str, published: str, yours: str, remedy: str) -> Condition:
    comparable = published == yours
    return Condition(what, published, yours, comparable, "" if comparable else remedy)


def _suite(card: TaskCard, suite: Mapping[str, Any]) -> Condition:
    pinned = card.source.hub.revision if card.source.hub else ""
    is_named_so = suite["name"] == card.name
    comparable = is_named_so and suite["revision"] == pinned
    if comparable:
        remark = "this is the public file; which one the paper used is not stated"
    elif is_named_so:
        remark = f"these data may differ from the public ones; leave out codearena_data to use {pinned[:7]}"
    else:
        remark = f"judge the suite {card.name}"
    yours = f"{suite['name']} at {suite['revision'].removeprefix('sha256:')[:7]}"
    return Condition("suite", f"{card.name}, revision not stated", yours, comparable, remark)


def _prompts(card: TaskCard, suite: Mapping[str, Any]) -> Condition:
    least, most = PROMPT_COUNTS
    n, n_left_out = suite["n_prompts"], len(suite["left_out"])
    is_whole = suite["name"] == card.name and n + n_left_out == card.n_prompts
    comparable = is_whole and least <= n <= most
    filtered = f"codearena_max_words={REFERENCE_MAX_WORDS}"
    if comparable:
        remark = "which prompts the paper left out is not stated"
    elif is_whole and not n_left_out:
        most_points = 100 * (n - least) / n
        remark = f"set {filtered}; the prompts in question move a score by {most_points:.1f} points at most"
    else:
        remark = f"answer every prompt of {card.name}, with {filtered}"
    published = f"{least} or {most} of {card.n_prompts}"
    return Condition("prompts", published, f"{n} of {n + n_left_out}", comparable, remark)


def _judge_model(model: str) -> Condition:
    comparable = model.rpartition("/")[2] == JUDGE_MODEL  # gateways put the vendor's name before it
    remark = "the paper's script asks for the alias gpt-4o" if comparable else f"set judge_model={JUDGE_MODEL}"
    return Condition("judge model", JUDGE_MODEL, model, comparable, remark)


def _described(sampling: Mapping[str, Any] | None, attempts: int | None) -> str:
    """Return sampling as text; equal texts are equal sampling. An import does not know it."""
    if sampling is None or attempts is None:
        return "unknown"
    return ", ".join([*(f"{name} {value}" for name, value in sorted(sampling.items())), f"attempts {attempts}"])
