from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from codearena_plugin.judging.play import Played, Spending
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.records import Category, Game, Prompt, Reply, Verdict
from codearena_plugin.report.console import open_console
from codearena_plugin.report.facts import MAIN_TABLES, Cells
from codearena_plugin.report.table import cells_table, print_result
from codearena_plugin.runs.result import STRATA, make_result

LONGEST_CLASS = "User Interface and User Experience (UI/UX)"
JUDGE = {"card": "codearena@1-A", "model": "gpt", "order": "both", "mode": "default", "notice": "", "backend": "openai"}
ANSWERS = {"n": 4, "empty": 1, "cut_at_token_limit": 2, "reasoning_stripped": 0}


def _result(*labels: str | None, spending: Spending | None = None, stopped: str | None = None, demo: bool = False):
    """A result over as many prompts as labels; both games of a prompt agree, ``None`` is an unparsable game."""
    classes = (LONGEST_CLASS, *(("Tools, Environments, and Practices",) * (len(labels) - 1)))
    prompts = tuple(
        Prompt(f"p{i}", (), ("Python",), Category(name, "UI/UX Design"), "easy") for i, name in enumerate(classes)
    )
    suite = Suite("codearena", "1-A", "r", "file.jsonl", "f" * 64, "base", prompts, is_demo=demo)
    mirror = {"B>A": "A>B", "A>B": "B>A", "A=B": "A=B", "B>>A": "A>>B"}
    games = [
        Game(
            prompt.id,
            order,
            ("k",),
            (Reply("text"),),
            _verdict(label if order == "baseline_first" else mirror.get(label)),
        )
        for prompt, label in zip(prompts, labels, strict=True)
        for order in ("baseline_first", "answer_first")
    ]
    names = ("name", "version", "source", "baseline", "is_demo")
    manifest = {
        "model": "candidate",
        "suite": {name: getattr(suite, name) for name in names} | {"n_prompts": len(prompts), "left_out": []},
        "judge": JUDGE,
        "answers": ANSWERS,
    }
    spent = spending or Spending(8, 8, 0, 1234, 567, None, 2.5, 32)
    made = make_result(
        suite, games, manifest, policy="both", mode="default", min_coverage=0.95,
        played=Played(tuple(games), spent, stopped),
    )  # fmt: skip
    return made.to_json()


def _verdict(label: str | None) -> Verdict:
    return Verdict("scored", label) if label else Verdict("unparsable", reason="no [bold]label\x1b[31m in the reply")


def _printed(result, tables=MAIN_TABLES) -> str:
    console = Console(file=io.StringIO(), width=100, markup=False, highlight=False, emoji=False)
    print_result(console, result, path=None, tables=tables)
    return console.file.getvalue()


def test_every_rate_is_printed_with_interval_and_n():
    text = _printed(_result("B>A", "B>>A", "A=B", "A>B"))
    rows = {line.split("  ")[0].strip(): line for line in text.splitlines() if line.strip()}
    assert re.search(r"62\.5 .* – .* 4$", rows["score"].rstrip())
    assert re.search(r"50\.0 .* – .* 4$", rows["win"].rstrip())
    assert "4 of 4" in rows["coverage"]
    assert "100.0" in rows["order consistency"]


def test_a_withheld_result_prints_no_rate_at_all():
    text = _printed(_result("B>A", "B>A", "B>A", None), STRATA)
    assert "withheld" in text
    assert "75.0" in text, "coverage is shown"
    assert "3 of 4" in text
    assert not re.search(r"\b(win|tie|loss)\b", text)
    text = re.sub(r"(order consistency|calls) .*", "", text)
    assert set(re.findall(r"\d+\.\d", text)) == {"75.0"}


def test_failures_are_counted_with_reasons_and_their_text_is_harmless():
    text = _printed(_result("B>A", "B>A", "B>A", None))
    assert "8, of which failed: 2 unparsable" in text
    assert "2 × no [bold]label␛[31m in the reply" in text


def test_a_demo_suite_is_marked():
    assert "DEMO" in _printed(_result("B>A", demo=True))
    assert "DEMO" not in _printed(_result("B>A"))


def test_what_is_odd_about_the_answers_is_said():
    assert "1 empty; 2 cut at the model's token limit (of 4)" in _printed(_result("B>A"))


@pytest.mark.parametrize(("cost", "said"), [(None, "unknown"), (0.0, "$0.00"), (0.0012, "$0.0012"), (3.456, "$3.46")])
def test_the_cost_is_printed_and_an_unknown_one_is_not_zero(cost, said):
    text = _printed(_result("B>A", spending=Spending(8, 7, 2, 1234, 567, cost, 2.5, 32)))
    assert re.search(rf"^cost +{re.escape(said)} *$", text, re.MULTILINE)
    assert "8 sent, 7 replies, 2 games from the store; 1,234 + 567 tokens" in text


def test_why_asking_stopped_is_printed():
    assert "budget reached" in _printed(_result("B>A", stopped="budget reached: max_calls=3"))


def test_no_line_is_longer_than_the_console_and_the_longest_class_is_whole():
    text = _printed(_result("B>A", "B>>A", "A=B", "A>B"), STRATA)
    assert max(map(len, text.splitlines())) <= 100
    assert LONGEST_CLASS in text


def test_a_table_of_one_part_which_is_the_whole_again_is_left_out():
    text = _printed(_result("B>A", "B>>A"), STRATA)
    assert "by class" in text
    assert "by difficulty" not in text


NAME = "a-model-with-a-name-that-is-longer-than-most-others-are"
NUMBERS = ("1234", "5678", "12.3 – 45.6", "< 0.0001", "397 of 397", "81.2", "18.8")
WIDE = Cells(
    ("model", "rendered", "not runnable here", "95 % interval", "p (Holm)", "scored", "wins", "losses"),
    [(NAME, *NUMBERS)],
)


def _lines(width: int, capsys, monkeypatch, **options) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    open_console().print(cells_table(WIDE, **options))
    return [line for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_with_room_enough_headings_and_names_are_whole(capsys, monkeypatch):
    headings, _, row = _lines(160, capsys, monkeypatch)
    assert [part.strip() for part in headings.split("  ") if part.strip()] == list(WIDE.columns)
    assert row.split("  ")[0].strip() == NAME


@pytest.mark.parametrize("options", [{}, {"min_width": None}, {"min_width": 28}])
@pytest.mark.parametrize("width", [76, 80, 100])
def test_on_a_narrow_terminal_headings_break_then_names_and_no_number_is_cut(width, options, capsys, monkeypatch):
    lines = _lines(width, capsys, monkeypatch, **options)
    assert not any("…" in line for line in lines)
    top = next(at for at, line in enumerate(lines) if "──" in line)
    row = " ".join(lines[top + 1].split())
    assert row.endswith(" ".join(NUMBERS))
    assert "".join(line.split()[0] for line in lines[top + 1 :]) == NAME
    words = " ".join(lines[:top]).split()
    assert sorted(words) == sorted(word for heading in WIDE.columns for word in heading.split())


def test_a_piped_console_is_wide_enough_and_writes_no_escape(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    console = open_console()
    console.print("[bold]:smile: https://x.org 12")
    assert console.width == 100
    assert capsys.readouterr().out == "[bold]:smile: https://x.org 12\n"
