"""``codearena gap`` as a user types it: what it prints, draws and refuses, how it ends."""

from __future__ import annotations

import csv
import html
import io
import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from unit_runs import write_run

from codearena_plugin.cli.main import main

SHARED = Path(__file__).parents[3] / "shared" / "data" / "evalplus" / "qwen2.5-coder-7b-base"
WON = {"m1": 4, "m2": 8, "m3": 14, "m4": 20, "m5": 26, "m6": 32}
QUICK = ("--bootstraps", "200")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the runs of six models over 40 prompts, the weakest first."""
    folder = tmp_path_factory.mktemp("runs")
    return [write_run(folder, name, "w" * n + "t" * 4 + "l" * (36 - n)).path for name, n in WON.items()]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.csv"
    rows = [(name, f"{30 + 10 * i:.1f}") for i, name in enumerate(WON)]
    body = "".join(f"{m},humaneval+,{p},164,EvalPlus 0.3.1\n{m},humaneval,{p},164,EvalPlus 0.3.1\n" for m, p in rows)
    path.write_text("model,benchmark,pass@1 %,n,engine\n" + body)
    return path


@pytest.fixture
def codearena(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_published_models_need_no_run_and_show_the_paper_s_finding(codearena) -> None:
    code, out, err = codearena("gap", "--published", "--rate", "win_rate", *QUICK)
    assert (code, err) == (0, "")
    assert "over 30 published models" in out
    lines = out.splitlines()
    [at] = [i for i, line in enumerate(lines) if "Qwen2.5-Coder-32B-Instruct −" in line]
    assert all(word in lines[at] for word in ("+19.6", "92.7 / 92.7", "87.2 / 87.8"))
    assert "Qwen2.5-SynCoder" in lines[at + 1]
    assert "outside what is expected  CodeLlama-7B-Instruct (1 of 30; 1.5 would be by chance)" in out
    assert "looks odd without being provably wrong" in " ".join(out.split()), "it may be a slip of the paper"
    [row] = [line for line in lines if line.startswith(" HumanEval+ ")]
    assert row.split()[1:3] == ["30", "0.86"]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("width", ["80", "100", "120"])
def test_no_line_is_wider_than_the_terminal_and_no_benchmark_is_broken(codearena, monkeypatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    code, out, _ = codearena("gap", "--published", *QUICK)
    assert code == 0
    assert max(map(len, out.splitlines())) <= int(width)
    assert "BigCodeBench hard " in out
    assert "o1-mini " in out
    assert "Qwen2.5-Coder-32B-Instruct " in out
    assert "5 pairs are at most one point apart" in " ".join(out.split())
    assert ("for want of room" in out) == (width == "80")


def test_a_long_name_is_broken_before_a_column_is_left_out(codearena, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    name = "an-organisation--a-model-whose-name-is-longer-than-most-v1"
    run = write_run(tmp_path, name, "w" * 20 + "l" * 10)
    (tmp_path / "r.csv").write_text(f"model,benchmark,pass@1 %,n,engine\n{name},humaneval+,81.1,164,EvalPlus 0.3.1\n")
    code, out, _ = codearena("gap", run.path, "--published", "--execution", tmp_path / "r.csv", *QUICK)
    assert code == 0
    assert "for want of room" not in out
    assert "places up" in out
    assert max(map(len, out.splitlines())) <= 100


def test_evalplus_own_numbers_can_stand_in_for_the_paper_s(codearena) -> None:
    code, out, _ = codearena("gap", "--published", "--execution", "evalplus", *QUICK)
    assert code == 0
    assert "over 19 published models" in out
    assert "EvalPlus leaderboard, 2024-12-26" in out


def test_a_run_named_as_a_published_model_can_take_its_published_pass_at_1(codearena, tmp_path: Path) -> None:
    run = write_run(tmp_path, "GPT 4o (Aug 2024)", "w" * 20 + "l" * 10)
    for source, plus in (("evalplus", "92.7 / 87.2"), ("paper", None)):
        code, out, err = codearena("gap", run.path, "--execution", source, *QUICK)
        assert (code == 0 and plus in out) if plus else (code == 2 and "--match" in err)
        assert "results of no run" not in out, "the shipped numbers are no results of a user's"
    code, out, _ = codearena(
        *("gap", run.path, "--execution", "paper", "--match", "GPT 4o (Aug 2024)=GPT-4o-2024-08-06", *QUICK)
    )
    assert code == 0
    assert "92.1 / 86.0" in out
    others = "MBPP 86.8, MBPP+ 72.5, MultiPL-E 79.1, BigCodeBench 50.1, BigCodeBench hard 25.0, LiveCodeBench 34.6"
    assert f"{others}; codearena gap --benchmark mbpp+ sets the axis" in " ".join(out.split())


def test_runs_and_a_table_give_the_whole_page(codearena, runs, results) -> None:
    code, out, err = codearena("gap", *runs, "--execution", results, *QUICK)
    assert (code, err) == (0, "")
    for word in ("over 6 of your models", "EvalPlus 0.3.1", "HumanEval / +", "places up", "Spearman", "expected"):
        assert word in out
    assert [line.split()[0] for line in out.splitlines() if line.startswith(" m")][1:7] == [*reversed(WON)]
    assert "▶" not in out
    assert max(map(len, out.splitlines())) <= 100


def test_one_run_is_placed_among_the_published_and_said_not_to_compare(codearena, runs, results) -> None:
    code, out, _ = codearena("gap", runs[2], "--execution", results, "--published", *QUICK)
    assert code == 0
    assert "▶ m3" in out
    assert "NO: " in out
    assert "comparable?" in out
    assert "several engines" in out
    assert "m4" in out.split("results of no run", 1)[1].splitlines()[0]


@pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED} is absent")
def test_a_real_result_of_evalplus_is_matched_by_what_is_said(codearena, runs) -> None:
    files = [SHARED / f"{name}_generated_eval_results.json.gz" for name in ("humaneval", "mbpp")]
    arguments = [item for file in files for item in ("--execution", file)]
    matches = ("--match", "m3=humaneval_generated", "--match", "m3=mbpp_generated")
    code, out, _ = codearena("gap", runs[2], *arguments, *matches, *QUICK)
    assert code == 0
    assert "61.6 / 53.0" in out
    assert "MBPP+ v0.1.0" in out
    code, out, _ = codearena("gap", runs[2], *arguments, *matches, *QUICK, "--benchmark", "mbpp+", "--format", "json")
    assert code == 0
    [model] = json.loads(out)["models"]
    assert model["execution"]["mbpp+"]["n"] == 399


@pytest.mark.parametrize("form", ["json", "markdown", "csv", "latex"])
def test_every_format_holds_every_model_and_its_engine(codearena, runs, results, form) -> None:
    code, out, err = codearena("gap", *runs, "--execution", results, "--format", form, *QUICK)
    assert (code, err) == (0, "")
    assert all(name in out for name in WON)
    assert "EvalPlus 0.3.1" in out
    if form == "json":
        gap = json.loads(out)
        assert gap["schema"] == "codearena-gap/1"
        assert gap["line"]["n"] == 6
        assert gap["models"][0]["execution"]["humaneval+"]["n"] == 164
        assert gap["models"][0]["residual"]["gap_low"] < gap["models"][0]["residual"]["gap_high"]
    if form == "csv":
        header, *rows = csv.reader(io.StringIO(out))
        assert len(rows) == 6
        assert {len(row) for row in rows} == {len(header)}
        assert header[0] == "model"
        assert len(set(header)) == len(header), "a program reads columns by name"


def test_a_plot_has_every_name_and_is_the_same_file_every_time(codearena, runs, results, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    arguments = ("gap", *runs, "--execution", results, *QUICK, "--plot")
    for name in ("a.svg", "b.svg", "c.png"):
        code, _, err = codearena(*arguments, tmp_path / "pictures" / name)
        assert (code, err) == (0, f"plot: {tmp_path / 'pictures' / name}\n")
    drawn = (tmp_path / "pictures" / "a.svg").read_bytes()
    assert drawn == (tmp_path / "pictures" / "b.svg").read_bytes()
    texts = {"".join(element.itertext()) for element in ET.fromstring(drawn).iter() if element.tag.endswith("text")}
    assert set(WON) <= texts
    assert "pass@1 on HumanEval+, %" in texts
    assert (tmp_path / "pictures" / "c.png").read_bytes().startswith(b"\x89PNG")


def test_hostile_names_are_shown_and_obeyed_nowhere(codearena, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    name = "<script>alert(1)</script>$x^2$ \\input{y} =1+1 \x1b[31m\u202e\uffff|%"
    run = write_run(tmp_path / "runs", name, "w" * 10 + "l" * 10, folder="r")
    table = {
        "schema": "codearena-execution/1", "unit": "share",
        "results": [{"model": name, "benchmark": "humaneval+", "pass@1": 0.5, "n": 164, "engine": "e\x1b]0;t\x07"}],
    }  # fmt: skip
    file = tmp_path / "r.json"
    file.write_text(json.dumps(table))
    plot = tmp_path / "p.svg"
    for form in ((), ("--format", "markdown"), ("--format", "latex"), ("--format", "csv")):
        code, out, err = codearena("gap", run.path, "--execution", file, "--plot", plot, *QUICK, *form)
        assert code == 0, err
        assert not {"\x1b", "\x07", "\u202e"} & set(out)
        if "latex" in form:
            assert "\\input{y}" not in out
        if "markdown" in form:
            assert "<script>" not in out.replace("\\<", "")
    drawn = plot.read_text(encoding="utf-8")
    ET.fromstring(drawn)
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn
    code, out, err = codearena("gap", run.path, "--execution", file, "--match", f"{name}=nobody", *QUICK)
    assert code == 2
    assert not {"\x1b", "\u202e"} & set(err)
    assert err.count("\n") == 1


def by_language_of(folder: Path) -> Path:
    path = folder / "languages.csv"
    rows = [f"{m},multipl_e,{x},{20 + 10 * i}.0,100,MultiPL-E\n" for i, m in enumerate(WON) for x in ("rs", "cpp")]
    path.write_text("model,benchmark,language,pass@1 %,n,engine\n" + "".join(rows))
    return path


def test_by_language_both_sides_stand_beside_each_other_where_both_exist(codearena, runs, results, tmp_path) -> None:
    arguments = ("gap", *runs, "--execution", results, "--execution", by_language_of(tmp_path), *QUICK)
    code, out, err = codearena(*arguments, "--by", "language")
    assert (code, err) == (0, "")
    lines = [line.strip() for line in out.splitlines()]
    assert max(map(len, lines)) <= 100
    assert "Rust, MultiPL-E" in lines
    assert "Python, HumanEval+" in lines
    assert not any(line.startswith("C++") for line in lines)
    assert any("MultiPL-E by language, without a prompt: C++" in line for line in lines)
    assert any(line.split()[:3] == ["Rust,", "MultiPL-E", "6"] for line in lines), "the correlation of six models"
    code, out, _ = codearena(*arguments, "--by", "language", "--min-n", "21", "--format", "csv")
    assert code == 0
    code, out, _ = codearena(*arguments, "--by", "language", "--min-n", "21", "--format", "markdown")
    [row] = [line for line in out.splitlines() if line.startswith("| Rust | MultiPL-E | m6 |")]
    assert row.split(" | ")[3].startswith("(")
    assert row.split(" | ")[6] == "70.0"
    code, out, _ = codearena(*arguments, "--format", "json")
    assert json.loads(out)["languages"] is None


def test_a_page_needs_no_run_has_no_script_and_replaces_only_its_own_kind(codearena, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    page = tmp_path / "pages" / "gap.html"
    for _ in range(2):
        code, _, err = codearena("gap", "--published", "--html", page, *QUICK)
        assert (code, err) == (0, f"page: {page}\n")
    text = page.read_text(encoding="utf-8")
    assert "script-src 'none'" in html.unescape(text)
    assert "<script" not in text
    assert " style=" not in text
    assert text.count("<svg") == 2
    assert text.count("<details") == 3
    assert text.index("<summary>Gap to the expected score: 30 rows") > text.index('<details class="card" open')
    for name in ("Qwen2.5-SynCoder", "CodeLlama-7B-Instruct", "Spearman", "EvalPlus, version not stated"):
        assert name in text
    other = tmp_path / "other.html"
    other.write_text("<p>mine")
    code, _, err = codearena("gap", "--published", "--html", other, *QUICK)
    assert (code, err.count("\n")) == (2, 1)
    assert "is no page of ours" in err
    assert other.read_text() == "<p>mine"


def test_a_report_has_the_gap_as_a_section_and_as_tables(codearena, runs, results, tmp_path: Path) -> None:
    for package in ("matplotlib", "markdown_it", "nh3", "pygments"):
        pytest.importorskip(package)
    page, tables = tmp_path / "r.html", tmp_path / "t"
    common = ("report", *runs, "--bootstraps", "200", "--output", page)
    given = ("--execution", results, "--execution", by_language_of(tmp_path), "--published", "--tables", tables)
    for _ in range(2):  # the second replaces the first
        code, _, err = codearena(*common, *given)
        assert (code, err) == (0, ""), err
    text = page.read_text(encoding="utf-8")
    assert '<section id="gap">' in text
    assert 'href="#gap"' in text
    assert '▶ <a href="#model=m3">m3</a>' in text, "a run of one's own leads to its verdicts"
    assert "Preference and execution by programming language" in text
    assert "read no order between yours and theirs" in text
    assert {"gap.csv", "gap.json", "gap_residuals.csv", "gap_languages.csv", "gap_correlations.csv"} <= {
        path.name for path in tables.iterdir()
    }
    assert json.loads((tables / "gap.json").read_text())["schema"] == "codearena-gap/1"
    for name in ("gap", "gap_residuals", "gap_pairs", "gap_correlations", "gap_languages"):
        header, *rows = csv.reader(io.StringIO((tables / f"{name}.csv").read_text(encoding="utf-8")))
        assert len(set(header)) == len(header), "a program reads columns by name"
        assert not any("(" in cell or " / " in cell for row in rows for cell in row[3:]), "one number a cell"
    assert "Both axes, model by model" in (tables / "tables.md").read_text(encoding="utf-8")
    code, _, _ = codearena(*common)
    assert code == 0
    assert '<section id="gap">' not in page.read_text(encoding="utf-8")
    code, _, err = codearena(*common, "--published")
    assert (code, err.count("\n")) == (2, 1)
    assert "No execution results were given" in err


def test_a_run_without_a_score_ends_with_3_and_is_shown(codearena, tmp_path: Path) -> None:
    run = write_run(tmp_path, "m1", "w" + "-" * 19)
    results = tmp_path / "r.csv"
    results.write_text("model,benchmark,pass@1,n,engine\nm1,mbpp+,0.5,378,x\n")
    code, out, err = codearena("gap", run.path, "--execution", results, "--plot", tmp_path / "p.svg", *QUICK)
    assert code == 3
    assert "NO SCORE: m1" in err
    assert "withheld" in out
    assert not (tmp_path / "p.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "No run was given"),
        (("RUN",), "No execution results were given"),
        (("--published", "--execution", "FILE"), "name run directories"),
        (("--published", "--match", "a=b"), "name run directories"),
        (("--published", "--format", "html"), "Unknown format 'html'"),
        (("--published", "--rate", "winrate"), "Unknown rate 'winrate'. Did you mean 'win_rate'?"),
        (("--published", "--benchmark", "humaneval-plus"), "Unknown benchmark 'humaneval-plus'. Did you mean"),
        (("--published", "--plot", "gap.pdf"), "--plot writes .svg or .png"),
        (("--published", "--html", "gap.pdf"), "--html writes .html or .htm"),
        (("--published", "--by", "languages"), "Unknown part in --by 'languages'. Did you mean 'language'?"),
        (("--published", "--by", "language"), "needs runs of yours"),
        (("--published", "--bootstraps", "5"), "100 or more"),
        (("--published", "--execution", "paper", "--execution", "evalplus"), "has two results on"),
        (("RUN", "--execution", "evalpus"), "cannot be read"),
        (("RUN", "--execution", "FILE", "--execution", "FILE"), "given twice"),
        (("RUN", "RUN", "--execution", "FILE"), "is given twice"),
        (("RUN", "--execution", "FILE", "--match", "m1"), "run name=results name"),
        (("RUN", "--execution", "evalplus"), "None of the published models has such a name"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(codearena, runs, results, arguments, message) -> None:
    named = {"RUN": runs[0], "FILE": results}
    code, _, err = codearena("gap", *(named.get(argument, argument) for argument in arguments))
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_without_matplotlib_the_install_command_is_said_before_anything_is_computed(codearena, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = codearena("gap", "--published", "--plot", "gap.svg")
    assert (code, out) == (2, "")
    assert "pip install 'codearena-plugin[report]'" in err
