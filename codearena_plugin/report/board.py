"""A leaderboard as cells and words: what the terminal, the page and every file format show.

The input is the plain data of ``leaderboard.record.Board.to_json``. Shares are shown in per cent, differences in points
of score, effects in log-odds; every row says what it rests on.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from codearena_plugin.prompts.taxonomy import MAIN_CLASSES
from codearena_plugin.report.facts import RATES, Cells, Facts, interval_cells, percent, share
from codearena_plugin.report.untrusted import one_line
from codearena_plugin.runs.incomplete import failed_games

ABSENT = "–"
EFFECTS: Mapping[str, str] = {
    "code_length": "length of code",
    "prose_length": "length of prose",
    "comment_share": "share of comment lines",
    "headings": "headings",
    "lists": "list items",
    "bold": "bold",
    "code_blocks": "code blocks",
    "shown_first": "shown first",
}
"""Feature -> how it is called in tables."""


SHORT: Mapping[str, str] = dict(zip(MAIN_CLASSES, ("UI", "Dev", "Spec", "Tools", "Emerg", "Misc", "DB"), strict=True))
"""Main class -> the short name that the paper's Table 3 has for it, for narrow columns."""


def board_facts(board: Mapping[str, Any]) -> Facts:
    """Return what was compared with whom, on what, by which judge, and what a reader must know."""
    suite, judge = board["suite"], board["manifests"][0]["judge"]
    n_models = sum(entry["score"] is not None for entry in board["entries"])
    against = (
        f"each compared with {board['reference']}" if board["method"] == "mean" else f"50 % equals {board['reference']}"
    )
    facts = [
        ("models", f"{n_models} with a score, {against}"),
        ("suite", f"{suite['name']} {suite['version']}, {suite['n_prompts']} prompts, {suite['source']}"),
        ("judge", f"{judge['model']} with card {judge['card']}, order {judge['order']}, mode {judge['mode']}"),
        *(("notice", notice) for notice in board["notices"]),
        *(("note", note) for note in board["notes"]),
    ]
    apart = board["separability"]
    if apart["n_pairs"]:
        facts.append(
            (
                "told apart",
                f"{apart['told_apart']} of {apart['n_pairs']} pairs of models (paired test, p < 0.05), "
                f"{apart['told_apart_holm']} after Holm's correction for all pairs",
            )
        )
    return facts


def leaderboard_cells(board: Mapping[str, Any]) -> Cells:
    """Return the leaderboard: rank with the ranks that the data cannot rule out, score, rates, controlled score."""
    has_control = board["style"]["why_absent"] is None
    rows = [_entry_row(entry, has_control) for entry in board["entries"]]
    rates = [label for name, label in RATES.items() if name not in {"score", "loss_rate"}]
    control = ("controlled",) if has_control else ()
    return Cells(("model", "rank", "score", "95 % interval", *rates, *control, "scored"), rows)


def _entry_row(entry: Mapping[str, Any], has_control: bool) -> tuple[str, ...]:
    name = one_line(entry["name"])
    scored = ABSENT if entry["n_prompts"] is None else share(entry["n_scored"], entry["n_prompts"])
    if entry["score"] is None:
        return (name, ABSENT, "withheld", *("" for _ in range(4 if has_control else 3)), scored)
    score, interval, _ = interval_cells(entry["score"])
    rates = (interval_cells(entry[rate])[0] for rate in ("win_rate", "tie_rate"))
    control = (_controlled_cell(entry["controlled"]),) if has_control else ()
    return name, rank_cell(entry["rank"]), score, interval, *rates, *control, scored


def _controlled_cell(interval: Mapping[str, Any] | None) -> str:
    """Return a controlled score with the ends of its interval in whole per cent, which a narrow column has room for."""
    if interval is None:
        return ABSENT
    return f"{percent(interval['estimate'])} ({100 * interval['low']:.0f}–{100 * interval['high']:.0f})"


def rank_cell(place: Mapping[str, int] | None) -> str:
    """Return a rank and the ranks that the data cannot rule out.

    >>> rank_cell({"rank": 2, "low": 1, "high": 4}), rank_cell({"rank": 1, "low": 1, "high": 1})
    ('2 (1–4)', '1')
    """
    if place is None:
        return ABSENT
    alone = place["low"] == place["high"] == place["rank"]
    return str(place["rank"]) if alone else f"{place['rank']} ({place['low']}–{place['high']})"


def withheld_facts(board: Mapping[str, Any]) -> Facts:
    """Return why entries have no score, and which of their games failed."""
    return [
        (one_line(entry["name"]), f"{entry['withheld']}; games that failed: {failed_games(entry['statuses'])}")
        for entry in board["entries"]
        if entry["withheld"]
    ]


def difference_cells(board: Mapping[str, Any], *, neighbours_only: bool = False) -> Cells:
    """Return paired differences, in points: of all pairs, or of each model with the next on the board."""
    pairs = board["pairs"]
    if neighbours_only:
        names = [entry["name"] for entry in board["entries"] if entry["score"]]
        after = dict(itertools.pairwise(names))
        pairs = [pair for pair in pairs if after.get(pair["a"]) == pair["b"]]
    rows = [_pair_row(pair) for pair in pairs]
    return Cells(("difference", "points", "95 % interval", "p", "p (Holm)", "n"), rows)


def _pair_row(pair: Mapping[str, Any]) -> tuple[str, ...]:
    found = pair["difference"]
    interval = f"{100 * found['low']:+.1f} to {100 * found['high']:+.1f}"
    name = f"{one_line(pair['a'])} − {one_line(pair['b'])}"
    p_values = (p_cell(pair["p_value"]), p_cell(pair["p_holm"]))
    n = ABSENT if pair["n_common"] is None else str(pair["n_common"])
    return name, f"{100 * found['estimate']:+.1f}", interval, *p_values, n


def p_cell(value: float) -> str:
    """Return a p-value as tables show it.

    >>> p_cell(0.00001), p_cell(0.0312)
    ('< 0.0001', '0.0312')
    """
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"


def style_cells(board: Mapping[str, Any]) -> Cells:
    """Return the effects of style: how much more one standard deviation of a contrast makes a win likely."""
    rows = []
    for effect in board["style"].get("coefficients", []):
        low, high = effect["low"], effect["high"]
        verdict = "more is preferred" if low > 0 else "less is preferred" if high < 0 else "none shown"
        name = EFFECTS.get(effect["name"], effect["name"])
        rows.append((name, f"{effect['estimate']:+.3f}", f"{low:+.3f} to {high:+.3f}", verdict, str(effect["n"])))
    return Cells(("style", "log-odds", "95 % interval", "effect", "n"), rows)


def style_facts(board: Mapping[str, Any]) -> Facts:
    """Return how style control was done and what it needed, or why it was not."""
    style = board["style"]
    if style["why_absent"] is not None:
        return [("style control", f"none: {style['why_absent']}")]
    unit = f"{style['n_rows']:,} {style['unit']}s of {style['n_prompts']} prompts"
    facts = [("style control", f"logistic, {unit}, largest gradient {style['gradient_norm']:.1e}")]
    if style["unit"] == "game":
        facts.append(("  unit", "controlled scores are those of a single game, whichever answer is shown first"))
    facts += [(f"  no {EFFECTS.get(name, name)}", why) for name, why in style["left_out"].items()]
    if style["penalised"]:
        names = ", ".join(one_line(name) for name in style["penalised"])
        facts.append(("  won or lost all", f"{names}: one tie with the reference was added for each"))
    if style["ridge"]:
        facts.append(
            ("  penalty", f"effects separate the outcomes; a quadratic penalty of {style['ridge']:g} was added")
        )
    return facts


def reliability_cells(board: Mapping[str, Any], by: str) -> Cells:
    """Return what the games say about the judge; ``by`` is all, model, class or language."""
    rows = []
    for name, found in board["reliability"].get(by, {}).items():
        cells = [_with_interval(found[rate]) for rate in ("order_consistency", "first_position", "tie_rate")]
        rows.append((one_line(name, 80), *cells, failed_games(found["statuses"]), f"{found['n_games']:,}"))
    columns = ("order consistency", "first wins", "judged equal", "failed games", "games")
    return Cells((f"judge by {by}" if by != "all" else "judge", *columns), rows)


def _with_interval(interval: Mapping[str, Any] | None) -> str:
    """Return a share with the ends of its interval, which is not symmetric near 0 and 100."""
    if interval is None:
        return ABSENT
    estimate, low_high, _ = interval_cells(interval)
    return f"{estimate} ({low_high.replace(' ', '')})"


def strata_cells(board: Mapping[str, Any], kind: str, *, pooled: bool = False) -> Cells:
    """Return the scores of all models by class, language, …: a row a model, a column a stratum.

    A cell holds the score and, in brackets, the prompts it rests on; one in round brackets rests on fewer than the
    board's ``min_n`` and is to be read by nobody as a rank.
    """
    names: Sequence[str] = board["strata"][kind]["names"]
    rows = []
    for entry, cells in board["strata"][kind]["cells"].items():
        rows.append((one_line(entry), *(_stratum_cell(cells.get(name), pooled) for name in names)))
    return Cells((f"by {kind.replace('_', ' ')}", *(one_line(name, 40) for name in names)), rows)


def _stratum_cell(cell: Mapping[str, Any] | None, pooled: bool) -> str:
    shown = cell and (cell["pooled"] if pooled else cell["score"])
    if not cell or not shown:
        return ABSENT
    text = f"{percent(shown['estimate'])} [{cell['n_scored']}]"
    return f"({text})" if cell["small"] else text
