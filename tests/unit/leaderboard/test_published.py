"""The published table, derived once more from its printed digits alone, and compared with what the package holds.

The search here shares no code with ``leaderboard/table3.py``: from ``table3.csv`` (win/tie in per cent, one decimal) it
finds class sizes, the class behind each column, and the counts.
"""

from __future__ import annotations

import csv
import functools
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from codearena_plugin.errors import DataError
from codearena_plugin.judging.protocol.card import load_card
from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.leaderboard import published as p
from codearena_plugin.leaderboard.published import comparability, footnotes, marks, published
from codearena_plugin.leaderboard.table3 import DATA, HEADINGS, Counts, PublishedRow, load_table
from codearena_plugin.prompts.suite import load_suite
from codearena_plugin.prompts.taxonomy import MAIN_CLASSES
from codearena_plugin.runs.judge import manifest_of

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "published" / "codearena_table.csv"
N_PROMPTS = 397
DEVELOPMENT = "development"
SWAPPED = {
    "Yi-Coder-1.5B-Chat", "OpenCoder-1.5B-Instruct", "Llama3.1-8B-Instruct", "CodeLlama-13B-Instruct",
    "Qwen2.5-Coder-14B-Instruct", "CodeLlama-70B-Instruct",
}  # fmt: skip
SINGLE = {"CodeStral-22B-v0.1", "DS-Coder-1.3B-Instruct"}
ONE_DIGIT = {"Qwen2.5-Coder-1.5B-Instruct", "OpenCoder-8B-Instruct", "Qwen2.5-32B-Instruct"}
# win, tie in Figure 9 of arXiv:2409.12186v3
TECH_REPORT = {
    "Claude-3.5-Sonnet-20241022": (78.1, 13.5), "GPT-4o-2024-08-06": (69.1, 18.1),
    "Qwen2.5-Coder-32B-Instruct": (68.9, 15.6), "DS-Coder-V2-Instruct": (57.4, 17.6),
    "CodeStral-22B-v0.1": (21.7, 15.1), "DS-Coder-33B-Instruct": (16.8, 11.9),
}  # fmt: skip


class Fit(NamedTuple):
    """One way to read a row: the class under each heading, and (wins, ties, prompts) by class."""

    order: tuple[str, ...]
    counts: dict[str, tuple[int, int, int]]

    @property
    def total(self) -> tuple[int, int, int]:
        wins, ties, n = (sum(column) for column in zip(*self.counts.values(), strict=True))
        return wins, ties, n


@functools.cache
def printed() -> dict[str, dict[str, tuple[float, float]]]:
    with (DATA / "table3.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["model"]: {name: pair(row[name]) for name in (*HEADINGS, "average")} for row in csv.DictReader(file)
        }


def pair(cell: str) -> tuple[float, float]:
    win, tie = map(float, cell.split("/"))
    return win, tie


def whole(share: float, n: int) -> list[int]:
    """Return the counts k with 100 k/n printed as ``share``."""
    near = round(share * n / 100)
    return [k for k in (near - 1, near, near + 1) if 0 <= k <= n and fits(share, k, n)]


def fits(share: float, k: float, n: int) -> bool:
    return abs(100 * k / n - share) <= 0.05 + 1e-9


def readings(cells: dict[str, tuple[float, float]], sizes: dict[str, tuple[int, ...]]) -> Iterator[Fit]:
    """Yield every assignment of classes to columns in which all shares are whole numbers of prompts."""
    choices = []
    for heading in HEADINGS:
        win, tie = cells[heading]
        found = [
            (name, (wins, ties, n))
            for name, possible in sizes.items()
            for n in possible
            for wins in whole(win, n)
            for ties in whole(tie, n)
            if wins + ties <= n
        ]
        choices.append((heading, found))
    yield from _placed(sorted(choices, key=lambda choice: len(choice[1])), {})


def _placed(choices: list[Any], taken: dict[str, Any]) -> Iterator[Fit]:
    if not choices:
        by_heading = {heading: name for name, (heading, _) in taken.items()}
        counts = {name: taken[name][1] for name in HEADINGS}
        yield Fit(tuple(by_heading[heading] for heading in HEADINGS), counts)
        return
    (heading, found), *rest = choices
    for name, counts in found:
        if name not in taken:
            yield from _placed(rest, {**taken, name: (heading, counts)})


def sizes_of_rows_in_header_order() -> list[tuple[int, ...]]:
    """Return every set of class sizes within 397 prompts that all rows without permuted columns admit."""
    rows = [printed()[row.model] for row in published() if not _has(row, "class-columns")]
    admitted = [
        [n for n in range(1, N_PROMPTS) if all(whole(win, n) and whole(tie, n) for win, tie in (r[h] for r in rows))]
        for h in HEADINGS
    ]
    least = sum(sizes[0] for sizes in admitted)
    found: list[tuple[int, ...]] = [()]
    for sizes in admitted:
        found = [(*chosen, n) for chosen in found for n in sizes if least + n - sizes[0] <= N_PROMPTS]
    return [chosen for chosen in found if sum(chosen) <= N_PROMPTS]


@functools.cache
def derived() -> dict[str, list[Fit]]:
    """Return model -> every reading of its row, with the class sizes of the rows in header order, and 130 prompts."""
    [sizes] = sizes_of_rows_in_header_order()
    possible = {name: (n,) for name, n in zip(HEADINGS, sizes, strict=True)}
    possible[DEVELOPMENT] = (130, *possible[DEVELOPMENT])
    return {model: list(readings(cells, possible)) for model, cells in printed().items()}


def best(model: str) -> Fit:
    """Return the reading of a row; where two orders fit, the one that gives the printed win rate."""
    win, _ = printed()[model]["average"]
    found = derived()[model]
    return found[0] if len(found) == 1 else next(f for f in found if fits(win, f.total[0], f.total[2]))


def of_package(model: str) -> PublishedRow:
    return next(row for row in published() if row.model == model)


def _has(row: PublishedRow, kind: str) -> bool:
    return kind in {erratum.kind for erratum in row.errata}


def test_the_rows_in_header_order_admit_one_set_of_class_sizes() -> None:
    assert sizes_of_rows_in_header_order() == [(45, 132, 89, 59, 38, 7, 22)]
    assert sum((45, 132, 89, 59, 38, 7, 22)) == 392


def test_the_class_of_development_has_132_prompts_in_20_rows_and_in_the_other_22_only_130_fits_all() -> None:
    [sizes] = sizes_of_rows_in_header_order()
    possible = {name: (n,) for name, n in zip(HEADINGS, sizes, strict=True)} | {DEVELOPMENT: tuple(range(100, 141))}
    admitted = {
        model: {fit.counts[DEVELOPMENT][2] for fit in readings(cells, possible)} for model, cells in printed().items()
    }
    without_132 = [found for found in admitted.values() if 132 not in found]
    assert len(without_132) == 22
    assert set.intersection(*without_132) == {130}


def test_40_of_42_rows_have_one_reading_and_in_the_other_two_one_gives_the_printed_win_rate() -> None:
    orders = {model: {fit.order for fit in found} for model, found in derived().items()}
    assert all(orders.values()), "every row fits"
    twice = {model for model, found in orders.items() if len(found) > 1}
    assert twice == {"Claude-3.5-Sonnet-20240620", "CodeStral-22B-v0.1"}
    for model in twice:
        win, _ = printed()[model]["average"]
        assert [fit.order for fit in derived()[model] if fits(win, fit.total[0], fit.total[2])] == [HEADINGS]
    assert all(len(derived()[model]) == 1 for model in orders if model not in twice), "one count for each share"


def test_27_rows_are_permuted_and_the_errata_say_how() -> None:
    permuted = {model: best(model).order for model in printed() if best(model).order != HEADINGS}
    assert len(permuted) == 27
    assert permuted == {
        row.model: tuple(erratum.corrected.split())
        for row in published()
        for erratum in row.errata
        if erratum.cell == "columns"
    }
    usual = ("ui", "development", "emerging", "specialized", "tools", "databases", "miscellaneous")
    assert list(permuted.values()).count(usual) == 14
    assert {best(model).total[2] for model in printed() if model not in permuted} == {392}


def test_counts_of_every_row_and_class_are_those_of_the_package() -> None:
    for row in published():
        wins, ties, n = best(row.model).total
        counts = best(row.model).counts
        if row.model == "DS-Coder-1.3B-Instruct":  # 66.7 is printed for 6.7, see the test of that cell
            wins, counts = wins - 30 + 3, {**counts, "ui": (3, 1, 45)}
        assert row.by_class == {
            name: Counts(*counts[heading]) for heading, name in zip(HEADINGS, MAIN_CLASSES, strict=True)
        }, row.model
        assert (row.total.wins, row.total.ties, row.total.n) == (wins, ties, n)
    assert sorted({row.total.n for row in published()}) == [390, 392] == list(p.PROMPT_COUNTS)
    assert sum(row.total.n == 392 for row in published()) == 20


def test_six_rows_print_score_and_win_rate_and_no_other_row_can_be_read_so() -> None:
    score_and_win, win_and_tie = set(), set()
    for model in printed():
        (first, second), (wins, ties, n) = printed()[model]["average"], best(model).total
        if fits(first, wins + ties / 2, n) and fits(second, wins, n):
            score_and_win.add(model)
        if fits(first, wins, n) and fits(second, ties, n):
            win_and_tie.add(model)
    assert score_and_win == SWAPPED == {row.model for row in published() if _has(row, "score-and-win")}
    assert win_and_tie == set(printed()) - SWAPPED - SINGLE - ONE_DIGIT
    assert of_package("Qwen2.5-Coder-14B-Instruct").printed["average"] == "60.6/51.5"
    assert of_package("Qwen2.5-Coder-14B-Instruct").total.cell == "51.5/18.1"


def test_the_cell_66_7_is_the_only_one_whose_change_makes_its_row_fit() -> None:
    model = "DS-Coder-1.3B-Instruct"
    [row] = derived()[model]
    win, tie = printed()[model]["average"]
    wins, ties, n = row.total
    assert not fits(win, wins, n)
    mended = [
        (name, what, k)
        for name, (won, tied, size) in row.counts.items()
        for k in range(size + 1)
        for what, total in (("win", (wins - won + k, ties)), ("tie", (wins, ties - tied + k)))
        if fits(win, total[0], n) and fits(tie, total[1], n)
    ]
    assert mended == [("ui", "win", 3)]
    assert Counts(3, 1, 45).cell == "6.7/2.2"


def test_no_reading_gives_codestral_the_printed_tie_rate_and_the_second_source_agrees_with_its_classes() -> None:
    model = "CodeStral-22B-v0.1"
    _, tie = printed()[model]["average"]
    totals = sorted(fit.total for fit in derived()[model])
    assert totals == [(80, 69, 392), (85, 59, 392)]
    assert not any(fits(tie, ties, n) for _, ties, n in totals)
    assert fits(TECH_REPORT[model][1], 59, 392)
    assert of_package(model).total == Counts(85, 59, 392)


def test_three_rates_are_printed_a_last_digit_too_low() -> None:
    for model in ONE_DIGIT:
        wins, ties, n = best(model).total
        pairs = zip(printed()[model]["average"], (wins, ties), strict=True)
        off = [(share, 100 * k / n) for share, k in pairs if not fits(share, k, n)]
        assert [math.floor(10 * exact) / 10 for _, exact in off] == [share for share, _ in off], "cut off, not rounded"
        assert len(off) == 1


def test_the_technical_report_agrees_with_the_counts() -> None:
    for model, shares in TECH_REPORT.items():
        wins, ties, n = best(model).total
        cut = [math.floor(1000 * k / n) / 10 for k in (wins, ties)]
        assert all(
            fits(share, k, n) or share == low for share, k, low in zip(shares, (wins, ties), cut, strict=True)
        ), model


def test_two_rows_fit_391_prompts_as_well_with_the_same_counts() -> None:
    [sizes] = sizes_of_rows_in_header_order()
    possible = {name: (n,) for name, n in zip(HEADINGS, sizes, strict=True)} | {DEVELOPMENT: (131,)}
    also = {}
    for model, cells in printed().items():
        for fit in readings(cells, possible):
            wins, ties, n = fit.total
            if fits(cells["average"][0], wins, n) and fits(cells["average"][1], ties, n):
                also[model] = (wins, ties, n)
    rows = {row.model: row for row in published() if row.n_also}
    assert also == {model: (row.total.wins, row.total.ties, row.n_also) for model, row in rows.items()}
    assert set(also) == {"Qwen2.5-0.5B-Instruct", "CodeLlama-34B-Instruct"}
    assert all(marks(row) == ("n",) for row in rows.values())


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is absent")
def test_the_package_agrees_with_the_table_that_others_made_from_the_same_sources() -> None:
    columns = ("UI", "Dev", "Spec", "Tools", "Emerg", "Misc", "DB")
    with SHARED.open(encoding="utf-8", newline="") as file:
        theirs = {row["model"]: row for row in csv.DictReader(file) if row["printed_UI"]}
    assert list(theirs) == [row.model for row in load_table()]
    for row in published():
        their = theirs[row.model]
        assert [row.printed[h] for h in HEADINGS] == [their[f"printed_{c}"] for c in columns]
        assert row.printed["average"] == f"{their['codearena_win']}/{their['codearena_tie']}"
        assert [counts.cell for counts in row.by_class.values()] == [their[f"corrected_{c}"] for c in columns]
        assert [row.total.wins, row.total.ties] == [int(their["wins_inferred"]), int(their["ties_inferred"])]
        assert row.total.cell == f"{their['win_recomputed']}/{their['tie_recomputed']}"
        assert int(their["n_questions_inferred"]) in (row.total.n, row.n_also)
        assert _has(row, "class-columns") == (their["columns_permuted_inferred"] == "yes")
        assert 100 * row.total.score.estimate == pytest.approx(float(their["codearena_score_recomputed"]), abs=0.051)


def test_a_row_has_the_score_and_interval_of_its_counts() -> None:
    total = of_package("Qwen2.5-SynCoder").total
    assert total == Counts(wins=192, ties=87, n=390)
    outcomes = [1.0] * 192 + [0.5] * 87 + [0.0] * 111
    mean = sum(outcomes) / 390
    stderr = math.sqrt(sum((x - mean) ** 2 for x in outcomes) / 389 / 390)
    assert total.score.estimate == pytest.approx(mean) == pytest.approx(192 / 390 + 87 / 780)
    assert total.score.stderr == pytest.approx(stderr)
    assert (total.score.low, total.score.high) == pytest.approx(
        (mean - 1.966 * stderr, mean + 1.966 * stderr), abs=1e-3
    )
    rates = (total.win_rate, total.tie_rate, total.loss_rate)
    assert [rate.estimate for rate in rates] == pytest.approx([192 / 390, 87 / 390, 111 / 390])
    assert {rate.n for rate in rates} == {390}


def test_ranks_follow_the_corrected_score_and_equal_scores_share_one() -> None:
    rows = published()
    scores = [row.total.score.estimate for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert [row.rank for row in rows] == [1 + sum(s > score for s in scores) for score in scores]
    assert rows[0].model == "o1-mini"
    assert {row.model for row in rows if row.rank == 39} == {"Qwen2.5-Coder-0.5B-Instruct", "OpenCoder-1.5B-Instruct"}


def test_every_mark_has_a_footnote_and_every_erratum_a_reason() -> None:
    everywhere = {mark for row in published() for scope in ("overall", "classes", "size") for mark in marks(row, scope)}
    assert set(footnotes()) == everywhere
    assert footnotes({"a"}) == {"a": "the paper prints score/win in place of win/tie"}
    errata = [erratum for row in published() for erratum in row.errata]
    assert len(errata) == 6 + 1 + 3 + 27 + 1 + 4
    assert all(erratum.reason and erratum.certainty in {"certain", "likely"} for erratum in errata)
    assert {row.model: (row.printed["size"], row.size) for row in published() if _has(row, "size")} == {
        "Llama3-8B-Instruct": ("7B", "8B"),
        "Llama3.1-8B-Instruct": ("7B", "8B"),
        "Llama3-70B-Instruct": ("7B", "70B"),
        "Llama3.1-70B-Instruct": ("7B", "70B"),
    }


def test_a_row_as_plain_data_has_no_number_that_json_cannot_hold() -> None:
    row = p.as_json(of_package("DS-Coder-1.3B-Instruct"))
    assert (row["wins"], row["ties"], row["losses"], row["n_scored"]) == (10, 22, 358, 390)
    assert row["score"]["low"] < row["score"]["estimate"] < row["score"]["high"]
    assert row["by_class"][MAIN_CLASSES[0]]["wins"] == 3
    assert [erratum["kind"] for erratum in row["errata"]] == ["class-columns", "class-cell"]


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("table3.csv", "44.9/21.0", "44.8/21.0", ("Llama3.1-70B-Instruct", "'average'", "44.9/21.0")),
        ("table3.csv", "49.2/20.8", "50.2/20.8", ("Qwen2.5-SynCoder", "'development'", "49.2/20.8")),
        ("table3.csv", "44.9/21.0", "nan/21.0", ("Llama3.1-70B-Instruct", "'average'", "win/tie in per cent")),
        ("table3.csv", ",average", ",Avg", ("(the header)", "'all'", "average")),
        ("table3.csv", "QwQ-32B-Preview", "Qwen-Max", ("'Qwen-Max'", "11 cells of a new model")),
        ("table3.csv", "QwQ-32B-Preview", "QwQ", ("'QwQ'", "'model'", "counts.csv")),
        ("counts.csv", "14/14/38", "15/14/38", ("Qwen2.5-SynCoder", "'specialized'", "39.5/36.8")),
        ("counts.csv", "14/14/38", "24/24/38", ("Qwen2.5-SynCoder", "'emerging'", "wins/ties/prompts")),
        ("counts.csv", ",391,", ",about 391,", ("Qwen2.5-0.5B-Instruct", "'n_also'", "about 391")),
        ("errata.yaml", "66.7/2.2, 6.7/2.2", "66.7/2.2, 6.6/2.2", ("DS-Coder-1.3B-Instruct", "'ui'", "6.6/2.2")),
        ("errata.yaml", "[Llama3-8B-Instruct, size, 7B, 8B]", "[Llama3-8B-Instruct, size, 8B, 7B]", ("'size'", "'8B'")),
        ("errata.yaml", "[Llama3-8B-Instruct, size, 7B, 8B]", "[Llama4, size, 7B, 8B]", ("'Llama4'", "'model'")),
        ("errata.yaml", "[Llama3-8B-Instruct, size", "[Llama3-8B-Instruct, weight", ("'weight'", "None")),
        ("errata.yaml", "certainty: certain", "certain", ("errata.yaml", "no list of errata")),
        ("errata.yaml", "scope: size", "scope: sizes", ("'size'", "'scope'", "'sizes'")),
        ("errata.yaml", "emerging databases miscellaneous", "emerging databases ui", ("'columns'", "another order")),
        ("errata.yaml", "databases miscellaneous]", "miscellaneous databases]", ("GPT-3.5-turbo-0125", "another")),
        ("errata.yaml", "[OpenCoder-1.5B-Instruct, av", "[Yi-Coder-1.5B-Chat, av", ("'average'", "one erratum a cell")),
    ],
)  # fmt: skip
def test_files_that_do_not_agree_are_refused_with_row_and_column(
    tmp_path: Path, file: str, old: str, new: str, named: tuple[str, ...]
) -> None:
    folder = Path(shutil.copytree(DATA, tmp_path / "data"))
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_table(folder)
    said = str(caught.value)
    assert all(part in said for part in named), said
    assert "\n" not in said


@pytest.mark.parametrize("file", ["table3.csv", "counts.csv", "errata.yaml"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_that_is_absent_empty_or_no_text_is_refused(tmp_path: Path, file: str, content: bytes | None) -> None:
    folder = Path(shutil.copytree(DATA, tmp_path / "data"))
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(DataError, match=file):
        load_table(folder)


@functools.cache
def _made_manifest() -> dict[str, Any]:
    settings = resolve_settings({"judge": "codearena"}, environ={})
    return manifest_of(load_suite("codearena_mini"), [], settings, {})


def manifest(*, suite: dict[str, Any] | None = None, judge: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a manifest that is in everything as in the paper but for what is given."""
    as_published = {
        "suite": {
            "name": "codearena", "revision": "05a5f4cae626aab85514451b7d51141b1bef3189", "is_demo": False,
            "baseline": "gpt-4-turbo-2024-04-09", "n_prompts": 392, "left_out": list("abcde"),
        },
        "judge": {"comparable_as": "codearena-paper@1", "order": "both", "mode": "reference"},
    }  # fmt: skip
    made = _made_manifest()
    return {
        **made,
        "suite": {**made["suite"], **as_published["suite"], **(suite or {})},
        "judge": {**made["judge"], **as_published["judge"], **(judge or {})},
    }


def test_a_run_with_everything_as_in_the_paper_is_comparable() -> None:
    found = comparability([manifest()])
    assert [condition.what for condition in found] == [
        "suite", "prompts", "baseline", "judge model", "judge prompt", "judge sampling", "order", "mode",
    ]  # fmt: skip
    assert all(condition.comparable for condition in found), found


@pytest.mark.parametrize(
    ("changed", "what", "remark"),
    [
        ({"judge": {"model": "gpt-4o"}}, "judge model", "set judge_model=gpt-4o-2024-08-06"),
        ({"judge": {"model": "my-gpt-4o-2024-08-06"}}, "judge model", "set judge_model=gpt-4o-2024-08-06"),
        ({"judge": {"comparable_as": "codearena@1"}}, "judge prompt", "set judge=codearena-paper"),
        ({"judge": {"sampling": {"temperature": 0.0}}}, "judge sampling", "use the card's own"),
        ({"judge": {"attempts": 1}}, "judge sampling", "use the card's own"),
        ({"judge": {"order": "answer_first"}}, "order", "set judge_order=both"),
        ({"judge": {"mode": "default"}}, "mode", "set judge_mode=reference: a game that failed counts 0 points"),
        ({"suite": {"baseline": "gpt-4o"}}, "baseline", "set codearena_baseline=gpt-4-turbo-2024-04-09"),
        ({"suite": {"revision": "sha256:" + 64 * "a"}}, "suite", "leave out codearena_data to use 05a5f4c"),
        ({"suite": {"n_prompts": 397, "left_out": []}}, "prompts", "set codearena_max_words=1024; the prompts in"),
        ({"suite": {"n_prompts": 391, "left_out": []}}, "prompts", "answer every prompt of codearena"),
        ({"suite": {"n_prompts": 300, "left_out": ["a"] * 97}}, "prompts", "answer every prompt of codearena"),
    ],
)
def test_what_differs_from_the_paper_is_named_with_what_would_make_it_match(
    changed: dict[str, Any], what: str, remark: str
) -> None:
    [found] = [condition for condition in comparability([manifest(**changed)]) if not condition.comparable]
    assert found.what == what
    assert remark in found.remark


def test_a_vendors_prefix_on_the_judges_name_is_no_difference() -> None:
    assert all(
        condition.comparable for condition in comparability([manifest(judge={"model": f"openai/{p.JUDGE_MODEL}"})])
    )


def test_a_run_on_other_prompts_compares_in_neither_suite_nor_prompts() -> None:
    lacking = {condition.what for condition in comparability([_made_manifest()]) if not condition.comparable}
    assert {"suite", "prompts", "baseline", "judge prompt", "mode"} == lacking


def test_the_papers_protocol_is_what_the_shipped_card_asks() -> None:
    card, _ = load_card("codearena-paper")
    assert (card.comparability, card.model, card.attempts) == (p.JUDGE_CARD, p.JUDGE_MODEL, p.ATTEMPTS)
    assert card.sampling.model_dump(exclude_none=True) == p.SAMPLING
    assert card.order == "both"


def test_of_several_runs_the_worst_decides_and_an_import_s_sampling_is_unknown() -> None:
    good, other = manifest(), manifest(judge={"sampling": None, "attempts": None})
    for manifests in ([good, other], [other, good]):
        (differs,) = (one for one in comparability(manifests) if not one.comparable)
        assert (differs.what, differs.yours) == ("judge sampling", "unknown")
    league = comparability([good, manifest(suite={"baseline": "another"})])
    assert {one.what for one in league if not one.comparable} == {"baseline", "method"}
