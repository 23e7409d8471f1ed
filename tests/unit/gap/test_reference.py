"""The published execution numbers: as others printed them, corrected where they cannot be right."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from codearena_plugin.errors import DataError
from codearena_plugin.gap.analysis import Inputs, gap_of
from codearena_plugin.gap.execution import Execution
from codearena_plugin.gap.record import GapOptions
from codearena_plugin.gap.reference import DATA, load_leaderboard, load_misprints, load_paper, problems_of, shipped
from codearena_plugin.leaderboard.published import published
from codearena_plugin.scoring.association.correlation import rank_correlation
from codearena_plugin.scoring.association.line import logit_of

ROOT = Path(__file__).parents[3]
SHARED = ROOT.parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is absent")
WIN = {row.model: row.total.win_rate.estimate for row in published()}
PRINTED_FIRST = {row.model: float(row.printed["average"].split("/")[0]) for row in published()}


def by_key(source: str) -> dict[tuple[str, str], Execution]:
    wholes = [one for one in shipped(source) if not one.language]
    return {(one.alias if source == "evalplus" else one.model, one.benchmark): one for one in wholes}


def correlated(source: str, benchmark: str, preference: dict[str, float]) -> tuple[float, float, int]:
    """Return Spearman, Pearson and n of a benchmark with a preference rate."""
    pairs = [(one.estimate, preference[m]) for (m, b), one in by_key(source).items() if b == benchmark and m]
    x, y = np.array(pairs).T
    return round(float(rank_correlation("spearman", x, y)), 2), round(float(np.corrcoef(x, y)[0, 1]), 2), len(x)


@pytest.mark.parametrize(
    ("benchmark", "spearman", "n"),
    [("humaneval+", 0.86, 30), ("mbpp+", 0.87, 30), ("bigcodebench_hard", 0.86, 26), ("livecodebench", 0.90, 26)],
)
def test_the_corrected_win_rate_goes_with_the_paper_s_columns_as_others_found(benchmark, spearman, n) -> None:
    assert correlated("paper", benchmark, WIN)[::2] == (spearman, n)


def test_pearson_is_lower_where_tests_saturate() -> None:
    assert correlated("paper", "humaneval+", WIN) == (0.86, 0.68, 30)
    assert correlated("paper", "livecodebench", WIN)[1] == 0.90


def test_multipl_e_goes_with_it_most_closely_as_printed_and_as_corrected() -> None:
    printed = {m: one.estimate for (m, b), one in by_key("paper").items() if b == "multipl_e"}
    assert len(printed) == 25
    assert printed["Qwen2.5-72B-Instruct"] == 0.769
    as_printed = printed | {"Qwen2.5-72B-Instruct": 0.751}
    x, y = np.array([(share, WIN[m]) for m, share in as_printed.items()]).T
    assert round(float(rank_correlation("spearman", x, y)), 2) == 0.94
    assert correlated("paper", "multipl_e", WIN) == (0.95, 0.86, 25)


def test_the_leaderboard_of_evalplus_gives_what_others_found_on_the_printed_win_rates_and_more_on_the_corrected() -> (
    None
):
    assert correlated("evalplus", "humaneval+", PRINTED_FIRST) == (0.85, 0.86, 19)
    assert correlated("evalplus", "mbpp+", PRINTED_FIRST)[::2] == (0.85, 18)
    assert correlated("evalplus", "humaneval+", WIN) == (0.87, 0.86, 19)


def test_the_paper_s_finding_equal_on_tests_and_twenty_points_apart() -> None:
    gap = gap_of(Inputs(published_results=shipped("paper")), GapOptions(rate="win_rate", n_bootstraps=400))
    [pair] = [pair for pair in gap.pairs if "Qwen2.5-SynCoder" in (pair.a, pair.b)]
    assert (pair.a, pair.b) == ("Qwen2.5-Coder-32B-Instruct", "Qwen2.5-SynCoder")
    assert 100 * pair.difference == pytest.approx(19.7, abs=0.06)
    assert pair.executions == {"humaneval": (0.927, 0.927), "humaneval+": (0.872, 0.878)}
    assert pair.low > 0.1


def test_the_model_farthest_from_the_line_is_the_one_that_the_published_table_calls_odd() -> None:
    gap = gap_of(Inputs(published_results=shipped("paper")), GapOptions(n_bootstraps=400))
    assert gap.axis == "humaneval+"
    assert len(gap.models) == 30
    residuals = {m.preference.name: m.residual for m in gap.models if m.residual}
    assert max(residuals, key=lambda name: abs(residuals[name].z)) == "CodeLlama-7B-Instruct"
    assert residuals["CodeLlama-7B-Instruct"].p_value < 0.01
    outside = [n for n, r in residuals.items() if abs(r.z) > 2]
    assert outside == ["CodeLlama-7B-Instruct"]
    places = {m.preference.name: m.places for m in gap.models}
    assert (places["Qwen2.5-SynCoder"].on_x, places["Qwen2.5-SynCoder"].on_y) == (3.0, 12.0)


def test_maximum_likelihood_gives_nearly_the_same_line() -> None:
    """The oracle: known normal noise on both axes, true x normal, true y on a line with scatter; all fitted at once."""
    from scipy.optimize import minimize

    gap = gap_of(Inputs(published_results=shipped("paper")), GapOptions(n_bootstraps=100))
    intervals = [(m.executions["humaneval+"].interval, m.preference.measured.interval(0.95)) for m in gap.models]
    x, sx, y, sy = np.array([(*logit_of(a), *logit_of(b)) for a, b in intervals]).T

    def surprise(theta: np.ndarray) -> float:
        mean, log_spread, intercept, slope, log_scatter = theta
        spread2, scatter2 = np.exp(2 * log_spread), np.exp(2 * log_scatter)
        xx, xy, yy = spread2 + sx, slope * spread2, slope**2 * spread2 + scatter2 + sy
        u, v, det = x - mean, y - intercept - slope * mean, xx * yy - xy**2
        return float(np.sum(np.log(det) + (yy * u * u - 2 * xy * u * v + xx * v * v) / det))

    start = [x.mean(), np.log(x.std()), -2.0, 1.5, 0.0]
    found = minimize(surprise, start, method="Nelder-Mead", options={"maxiter": 20_000, "xatol": 1e-7, "fatol": 1e-9})
    assert not isinstance(gap.line, str)
    assert gap.line.intercept == pytest.approx(found.x[2], abs=0.02)
    assert gap.line.slope == pytest.approx(found.x[3], abs=0.02)
    assert gap.line.scatter == pytest.approx(np.exp(found.x[4]), rel=0.06), "ours divides by n - 2"
    assert np.polyfit(x, y, 1)[0] < gap.line.slope - 0.05, "least squares on the measured x is too flat"


def test_five_rows_of_the_paper_were_measured_on_399_problems_of_mbpp() -> None:
    older = {one.model for one in shipped("paper") if one.benchmark == "mbpp+" and one.n == 399}
    assert older == {
        "Qwen2.5-Coder-1.5B-Instruct", "Qwen2.5-Coder-7B-Instruct", "CodeQwen1.5-7B-Chat", "CodeStral-22B-v0.1",
        "Qwen2.5-SynCoder",
    }  # fmt: skip
    assert {one.n for one in shipped("paper") if one.benchmark == "mbpp"} == {378, 399}
    notes = gap_of(Inputs(published_results=shipped("paper")), GapOptions("mbpp+", n_bootstraps=100)).notes
    assert "MBPP+ has 378 and 399 problems, by model: not all were asked the same" in notes


@pytest.mark.parametrize(
    ("benchmark", "base", "plus", "n"),
    [("mbpp", "86.2", "74.7", 399), ("mbpp+", "90.2", "75.1", 378), ("mbpp", "73.6", "62.4", 378),
     ("humaneval", "92.7", "", 164), ("livecodebench", "31.4", "", None)],
)  # fmt: skip
def test_the_number_of_problems_is_the_one_that_both_shares_are_counts_of(benchmark, base, plus, n) -> None:
    assert problems_of(benchmark, base, plus) == n


def test_the_two_sources_agree_on_six_models_in_every_cell() -> None:
    paper, theirs = by_key("paper"), by_key("evalplus")
    both = {model for model, benchmark in paper if (model, benchmark) in theirs}
    assert len(both) == 15
    differences = {
        m: max(abs(paper[m, b].estimate - theirs[m, b].estimate) for n, b in theirs if n == m and (m, b) in paper)
        for m in both
    }
    assert sum(difference < 1e-9 for difference in differences.values()) == 6
    assert sorted(round(100 * d, 1) for d in differences.values())[-2:] == [2.9, 5.7]


def test_every_misprint_has_a_reason_and_its_number_a_note() -> None:
    misprints = load_misprints()
    assert len(misprints) == 5
    assert all(one.reason and one.certainty in {"certain", "likely"} for one in misprints)
    noted = {(one.model, one.benchmark) for one in shipped("paper") if one.notes}
    assert noted == {("Qwen2.5-Coder-0.5B-Instruct", "multipl_e"), ("Qwen2.5-72B-Instruct", "multipl_e")}
    row = next(one for one in misprints if one.cell == "python")
    cells = {one.benchmark: one.estimate for one in shipped("paper") if one.model == row.model}
    assert cells["humaneval"] == float(row.printed) / 100, "the misprint repeats the cell of HumanEval"


@needs_shared
def test_the_package_agrees_with_the_tables_that_others_made_from_the_same_sources() -> None:
    columns = {
        "humaneval": "HE", "humaneval+": "HE+", "mbpp": "MBPP", "mbpp+": "MBPP+", "bigcodebench": "BCB_instruct_full",
        "bigcodebench_hard": "BCB_instruct_hard", "livecodebench": "LCB_2407_2409",
    }  # fmt: skip
    with (SHARED / "published" / "codearena_table.csv").open(encoding="utf-8", newline="") as file:
        theirs = {row["model"]: row for row in csv.DictReader(file) if "[" not in row["model"]}
    expected = {(m, b): float(row[c]) for m, row in theirs.items() for b, c in columns.items() if row[c]}
    found = {key: round(100 * one.estimate, 1) for key, one in by_key("paper").items() if key[1] != "multipl_e"}
    assert found == expected


@needs_shared
def test_the_leaderboard_is_the_published_one() -> None:
    models = json.loads((SHARED / "evalplus" / "leaderboard.json").read_text(encoding="utf-8"))["models"]
    assert len(models) == 125
    expected = {(m, b): share for m, row in models.items() for b, share in row["pass@1"].items() if share is not None}
    assert {(one.model, one.benchmark): round(100 * one.estimate, 1) for one in shipped("evalplus")} == expected
    with (SHARED / "published" / "evalplus_x_codearena.csv").open(encoding="utf-8", newline="") as file:
        joined = {row["leaderboard_model"]: row["paper_model"] for row in csv.DictReader(file)}
    assert {one.model: one.alias for one in shipped("evalplus") if one.alias} == {k: v for k, v in joined.items() if k}


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("table4.csv", "92.7,87.8,86.2,74.7", "92.7,87.8,86.2,nan", ("Qwen2.5-SynCoder", "'mbpp+'", "nan")),
        ("table4.csv", "92.7,87.8,86.2,74.7", "92.7,0.878,86.2,74.7", ("Qwen2.5-SynCoder", "'humaneval+'", "0.878")),
        ("table4.csv", "77.6,49.4,78.8", "77.6,49.4,79.9", ("Qwen2.5-SynCoder", "'multipl_e'", "78.8, the mean")),
        ("table4.csv", "32.7,,28.6,10.1,", "32.7,,28.6,10.1,25.0", ("CodeLlama-7B-Instruct", "'multipl_e'", "missing")),
        ("table4.csv", "model,humaneval,", "model,HumanEval,", ("(the header)", "HumanEval")),
        ("table4.csv", "o1-preview,", "o1-mini,", ("'o1-mini'", "14 cells of a new model")),
        ("table16.csv", "o1-preview,", "o2,", ("table16.csv", "'o2'", "a model of table4.csv")),
        ("errata.yaml", '"75.1", "76.9"', '"75.2", "76.9"', ("Qwen2.5-72B-Instruct", "'multipl_e'", "75.1")),
        ("errata.yaml", '"75.1", "76.9"', '"75.1", "75.1"', ("Qwen2.5-72B-Instruct", "a correction")),
        ("errata.yaml", "certainty: likely", "certain", ("errata.yaml", "no list of errata")),
        ("evalplus.csv", "(Aug 2024),GPT-4o-2024-08-06", "(Aug 2024),o1-mini", ("'codearena'", "o1-mini")),
        ("evalplus.csv", "OpenCoder-8B-Instruct,yes", "OpenCoder-8B-Instruct,ja", ("'prompted'", "'ja'")),
    ],
)  # fmt: skip
def test_files_that_do_not_agree_are_refused_with_row_and_column(tmp_path: Path, file, old, new, named) -> None:
    folder = Path(shutil.copytree(DATA, tmp_path / "data"))
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_leaderboard(folder) if file == "evalplus.csv" else load_paper(folder)
    said = str(caught.value)
    assert all(part in said for part in (file, *named)), said
    assert "\n" not in said


@pytest.mark.parametrize("file", ["table4.csv", "table16.csv", "errata.yaml", "evalplus.csv"])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_that_is_absent_empty_or_no_text_is_refused(tmp_path: Path, file: str, content: bytes | None) -> None:
    folder = Path(shutil.copytree(DATA, tmp_path / "data"))
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(DataError, match=file.replace(".", r"\.")):
        load_leaderboard(folder) if file == "evalplus.csv" else load_paper(folder)
