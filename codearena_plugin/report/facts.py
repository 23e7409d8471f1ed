"""What a result says, in words and cells: the one truth that the tables on a terminal and the Markdown both show.

The input is the plain data of ``result.json``, so a stored run says the same. Every rate stands beside its n. A
withheld rate is ``null`` in that data and is therefore nowhere to be shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.caveats import notices
from codearena_plugin.runs.imported import is_imported
from codearena_plugin.runs.incomplete import failed_games

MAIN_TABLES = ("class", "difficulty")
RATES: Mapping[str, str] = {"score": "score", "win_rate": "win", "tie_rate": "tie", "loss_rate": "loss"}
"""Rate in ``result.json`` -> how it is called in tables, the score first."""

_ABSENT = "–"
_LM_EVAL = "lm-eval"  # the back end that a manifest names where lm-eval's own model was the judge (judge_codearena)

Facts = list[tuple[str, str]]


class Cells(NamedTuple):
    """A table as text: column names, and rows of as many cells."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def caveats(manifest: Mapping[str, Any]) -> Facts:
    """Return what every output about a run must carry, as facts."""
    return [("notice", notice) for notice in notices(manifest)]


def headline(manifest: Mapping[str, Any], *, n_runs: int | None = None) -> Facts:
    """Return who was compared with whom, on what, by which judge; ``n_runs`` where several share the manifest."""
    suite, judge = manifest["suite"], manifest["judge"]
    facts = [
        ("runs", f"{n_runs}, each model compared with {suite['baseline']}")
        if n_runs
        else ("model", f"{manifest['model']}, compared with {suite['baseline']}"),
        ("suite", f"{suite['name']} {suite['version']}, {suite['n_prompts']} prompts, {suite['source']}"),
        ("judge", f"{judge['model']} with card {judge['card']}, order {judge['order']}, mode {judge['mode']}"),
    ]
    if "evidence" in manifest:
        about = manifest["evidence"]
        facts.append(
            ("evidence", _evidence(about) if n_runs is None else f"shown to the judge, rules {about['rules']}")
        )
    facts += caveats(manifest)
    if suite["left_out"]:
        facts.append(("left out", f"{len(suite['left_out'])} prompts for their length"))
    if n_runs is None:
        facts += _answer_notes(manifest["answers"])
    return facts


def _evidence(about: Mapping[str, Any]) -> str:
    counted = [
        f"{side} {', '.join(f'{n} {grade}' for grade, n in sorted(grades.items(), key=lambda one: -one[1])) or 'none'}"
        for side, grades in about["grades"].items()
    ]
    return f"shown to the judge, code was run by {about['sandbox']}; blocks: {'; '.join(counted)}"


def _answer_notes(answers: Mapping[str, Any]) -> Facts:
    if answers.get("absent"):
        return [("answers", f"not in the import ({answers['n']} were judged)")]
    found = {
        "empty": answers["empty"],
        "cut at the model's token limit": answers["cut_at_token_limit"],
        "with a reasoning trace, which the judge does not see": answers["reasoning_stripped"],
    }
    noted = [f"{what}: unknown" if n is None else f"{n} {what}" for what, n in found.items() if n != 0]
    return [("answers", f"{'; '.join(noted)} (of {answers['n']})")] if noted else []


def rates(result: Mapping[str, Any]) -> Cells:
    """Return the rates with their intervals; of a withheld result only coverage and consistency."""
    metrics = result["metrics"]
    rows: list[tuple[str, ...]] = []
    if result["withheld"]:
        rows.append(("score", "withheld", "", ""))
    else:
        rows += [(label, *interval_cells(metrics[name])) for name, label in RATES.items()]
    rows.append(("coverage", percent(metrics["coverage"]), "", f"{metrics['n_scored']} of {metrics['n_prompts']}"))
    if metrics["order_consistency"]:
        rows.append(("order consistency", *interval_cells(metrics["order_consistency"])))
    return Cells(("", "%", "95 % interval", "n"), rows)


def stratum(kind: str, rows: Sequence[Mapping[str, Any]]) -> Cells:
    """Return a result by class, language, …, rows in the order given; without rates where none may be shown."""
    title = f"by {kind.replace('_', ' ')}"
    shares = [share(row["n_scored"], row["n_prompts"]) for row in rows]
    names = [one_line(row["name"], 80) for row in rows]
    if all(row["score"] is None for row in rows):
        return Cells((title, "n"), list(zip(names, shares, strict=True)))
    found: list[tuple[str, ...]] = []
    for name, row, scored in zip(names, rows, shares, strict=True):
        score, interval, _ = interval_cells(row["score"])
        others = (interval_cells(row[rate])[0] for rate in RATES if rate != "score")
        found.append((name, score, interval, *others, scored))
    first, *rest = RATES.values()
    return Cells((title, first, "95 % interval", *rest, "n"), found)


def strata_shown(result: Mapping[str, Any], kinds: Sequence[str]) -> list[Cells]:
    """Return the result by each of these kinds of strata that part the prompts; a single stratum is the whole again."""
    return [stratum(kind, rows) for kind in kinds if len(rows := result["strata"].get(kind) or ()) > 1]


def interval_cells(interval: Mapping[str, Any] | None) -> tuple[str, str, str]:
    """Return estimate, interval and n of a rate as text, in per cent.

    >>> interval_cells({"estimate": 0.604, "low": 0.5, "high": 0.7, "stderr": 0.05, "n": 390})
    ('60.4', '50.0 – 70.0', '390')
    """
    if interval is None:
        return _ABSENT, _ABSENT, "0"
    low, high = (percent(interval[end]) for end in ("low", "high"))
    return percent(interval["estimate"]), f"{low} – {high}", str(interval["n"])


def counts(result: Mapping[str, Any]) -> Facts:
    """Return how many games were played and failed, for which reasons, and why asking stopped if it did."""
    statuses = result["statuses"]
    facts = [("games", f"{sum(statuses.values())}, of which failed: {failed_games(statuses)}")]
    for status, reasons in result["problems"].items():
        facts += [(f"  {status}", f"{n} × {one_line(reason)}") for reason, n in reasons.items()]
    if result["stopped"]:
        facts.append(("stopped", result["stopped"]))
    return facts


def spending(result: Mapping[str, Any]) -> Facts:
    """Return what judging took: calls, tokens, seconds, money."""
    spent, manifest = result["spending"], result["manifest"]
    backend = manifest["judge"]["backend"]
    if spent is None:
        if is_imported(manifest) and "rescored" not in manifest:
            return [("calls", f"none, verdicts were imported from {manifest['imported']['format']}")]
        was_read_again = "rescored" in manifest or backend != _LM_EVAL
        return [("calls", "none, stored replies were read again" if was_read_again else "made by lm-eval itself")]
    seconds = f"{spent['wall_s']:.1f} s"
    if not spent.get("is_remote", True):
        return [("calls", f"none, back end {backend}; {seconds}")]
    tokens = f"{spent['prompt_tokens']:,} + {spent['completion_tokens']:,} tokens"
    stored = f"{spent['stored_games']} games from the store"
    return [
        ("calls", f"{spent['http_requests']} sent, {spent['replies']} replies, {stored}; {tokens}; {seconds}"),
        ("cost", dollars(spent["cost_usd"])),
    ]


def dollars(cost_usd: float | None) -> str:
    """Return an amount as text; what is not known is not 0.

    >>> dollars(None), dollars(0.1234), dollars(0.0)
    ('unknown', '$0.12', '$0.00')
    """
    if cost_usd is None:
        return "unknown"
    return f"${cost_usd:.4f}" if 0 < cost_usd < 0.01 else f"${cost_usd:,.2f}"


def percent(share: float) -> str:
    """Return a share in per cent, as all tables show it.

    >>> percent(0.604)
    '60.4'
    """
    return f"{100 * share:.1f}"


def share(n: int, of: int) -> str:
    """Return how many of how many, or just how many where that is all."""
    return str(n) if n == of else f"{n} of {of}"
