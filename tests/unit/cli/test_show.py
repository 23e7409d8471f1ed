from __future__ import annotations

import json
from dataclasses import replace

from evidence_runs import a_block, evidence_of

from codearena_plugin import paths
from codearena_plugin.evidence.found import Evidence
from codearena_plugin.judging.ledger import read_games
from codearena_plugin.prompts.suite import SuiteOptions, load_suite
from codearena_plugin.runs.files import games_sha256, load_run

MINI = paths.data_dir("tasks") / "codearena_mini" / "data"
HOSTILE = (
    "[red]not markup[/red] [link=http://evil]x[/link] \x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2066 \x9b31m \x00 "
    "\ud800 :smile: \r hidden\u200b"
)


def _hostile_run(codearena, tmp_path):
    rows = [json.loads(line) for line in (MINI / "answers_careful.jsonl").read_text().splitlines()]
    rows[0]["response"] = HOSTILE + rows[0]["response"]
    for row in rows:
        row["model"] = "[bold]m\x1b[31m"
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = codearena("judge", answers, "--suite", "codearena_mini", "--output", tmp_path / "run")
    assert done.code == 0, done.err
    return done, tmp_path / "run"


def test_hostile_text_is_shown_and_not_obeyed(codearena, tmp_path):
    _, run = _hostile_run(codearena, tmp_path)
    done = codearena("show", run, "mini-001")
    assert done.code == 0
    assert "[red]not markup[/red] [link=http://evil]x[/link] ␛[2J␛]0;owned␇ <U+202E>gnp.exe<U+2066>" in done.out
    assert "<U+009B>31m ␀ <U+D800> :smile: ␍ hidden<U+200B>" in done.out
    assert not set(done.out) & set("\x1b\x07\x9b\x00\u202e\u2066\r\u200b")


def test_a_hostile_model_name_is_harmless_in_every_table(codearena, tmp_path):
    judged, run = _hostile_run(codearena, tmp_path)
    shown = [judged, codearena("show", run), codearena("show", run, "mini-002"), codearena("rescore", run)]
    assert all("[bold]m␛[31m" in done.out for done in shown)
    assert not any("\x1b" in done.out + done.err for done in shown)


def test_a_prompt_is_shown_with_both_answers_both_games_and_the_outcome(codearena, static_run):
    done = codearena("show", static_run("careful"), "mini-001")
    for part in (
        "question (user)",
        "baseline: mini-baseline",
        "answer: careful",
        "game baseline_first: A is mini-baseline, B is careful",
        "game answer_first: A is careful, B is mini-baseline",
        "verdict: B>A, +1 points for careful",
        "outcome",
        "win, +2 points for careful",
    ):
        assert part in done.out


def test_what_the_code_did_stands_beside_each_answer_and_is_not_obeyed(codearena, static_run):
    run = static_run("careful")
    before = codearena("show", run, "mini-001").out
    stored = load_run(run)
    suite = load_suite("codearena_mini", SuiteOptions())
    evidence = evidence_of(suite, stored.answers, {("mini-001", "baseline"): "good"})
    row = evidence.rows["mini-001", "answer"]
    bad = a_block(failed="ran", reached="parsed", excerpt="\x1b[2Jboom\u202e\nagain", screenshot="x")
    Evidence({**evidence.rows, ("mini-001", "answer"): replace(row, blocks=(bad,))}).save(run)
    done = codearena("show", run, "mini-001")
    assert done.code == 0, done.err
    out = done.out
    baseline, answer, game = (
        out.index("code of mini-baseline"),
        out.index("code of careful"),
        out.index("game baseline_f"),
    )
    assert out.index("baseline: mini-baseline") < baseline < out.index("answer: careful") < answer < game
    assert "run by bubblewrap, not shown to the judge" in out
    assert "ran: Python program, 10 lines: it ran and ended by itself\n| 42\n" in out
    assert "(picture in the report)\n| ␛[2Jboom<U+202E>\n| again\n" in out
    assert "code of" not in before


def test_without_an_id_all_prompts_are_listed(codearena, static_run):
    done = codearena("show", static_run("careful"))
    assert done.out.count("mini-") == 32
    assert "32 of 32 prompts" in done.out


def test_both_views_carry_the_demo_mark_and_the_judge_s_notice(codearena, static_run):
    run = static_run("careful")
    for done in (
        codearena("show", run),
        codearena("show", run, "--status", "refused"),
        codearena("show", run, "mini-001"),
    ):
        head = " ".join(done.out[:400].split())
        assert "DEMO: prompts of our own" in head
        assert "static judge: reads surface traits of answers; a smoke test, not a preference model" in head


def test_the_list_can_be_filtered_by_status(codearena, static_run):
    run = static_run("careful")
    rows = [json.loads(line) for line in (run / "games.jsonl").read_text().splitlines()]
    rows[4].update(status="unparsable", label=None, reason="no label in the reply")
    (run / "games.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = json.loads((run / "result.json").read_text())
    result["manifest"]["games_sha256"] = games_sha256(read_games(run / "games.jsonl"))
    (run / "result.json").write_text(json.dumps(result))
    done = codearena("show", run, "--status", "unparsable")
    assert "mini-003" in done.out
    assert "not scored" in done.out
    assert "1 of 32 prompts" in done.out
    assert codearena("show", run, "--status", "unparseable").err.startswith(
        "codearena: Unknown status 'unparseable'. Did you mean 'unparsable'?"
    )


def test_an_unknown_prompt_suggests_the_nearest(codearena, static_run):
    done = codearena("show", static_run("careful"), "mini-01")
    assert done.code == 2
    assert "did you mean 'mini-0" in done.err


def test_an_unknown_prompt_of_a_run_without_its_suite_is_refused_too(codearena, tmp_path):
    data = tmp_path / "mine.jsonl"
    data.write_bytes((MINI / "prompts.jsonl").read_bytes())
    codearena(
        "judge", MINI / "answers_careful.jsonl", "--data", data, "--judge", "static", "--output", tmp_path / "run"
    )
    data.write_text(data.read_text().replace("Python", "Ruby"))
    done = codearena("show", tmp_path / "run", "mini-999")
    assert done.code == 2
    assert "has no prompt 'mini-999'" in done.err


def test_a_status_and_a_prompt_together_are_refused(codearena, static_run):
    assert codearena("show", static_run("careful"), "mini-001", "--status", "scored").code == 2


def test_long_texts_are_cut_unless_all_is_asked_for(codearena, tmp_path):
    rows = [json.loads(line) for line in (MINI / "answers_careful.jsonl").read_text().splitlines()]
    rows[0]["response"] = "x" * 10_000 + "the end"
    (tmp_path / "long.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    codearena("judge", tmp_path / "long.jsonl", "--suite", "codearena_mini", "--output", tmp_path / "run")
    assert "6,007 more characters" in codearena("show", tmp_path / "run", "mini-001").out
    assert "the end" in codearena("show", tmp_path / "run", "mini-001", "--full").out


def test_a_run_can_be_read_without_its_suite(codearena, tmp_path):
    data = tmp_path / "mine.jsonl"
    data.write_bytes((MINI / "prompts.jsonl").read_bytes())
    options = ("--data", data, "--judge", "static", "--output", tmp_path / "run")
    codearena("judge", MINI / "answers_careful.jsonl", *options)
    data.write_text(data.read_text().replace("Python", "Ruby"))
    done = codearena("show", tmp_path / "run", "mini-001")
    assert done.code == 0
    assert "answer: careful" in done.out
    assert "question (user)" not in done.out
    assert "is not the one that was judged" in done.err


def test_a_suite_file_that_was_moved_is_named_with_what_to_do(codearena, tmp_path):
    data = tmp_path / "mine.jsonl"
    data.write_bytes((MINI / "prompts.jsonl").read_bytes())
    options = ("--data", data, "--judge", "static", "--output", tmp_path / "run")
    codearena("judge", MINI / "answers_careful.jsonl", *options)
    moved = data.rename(tmp_path / "moved.jsonl")
    shown, read_again = codearena("show", tmp_path / "run", "mini-001"), codearena("rescore", tmp_path / "run")
    assert (shown.code, read_again.code) == (0, 2)
    for done in (shown, read_again):
        assert f"suite file '{data}'" in done.err
        assert "no longer there" in done.err
        assert "--data" in done.err
        assert "cannot be reached" not in done.err
    assert "question (user)" in codearena("show", tmp_path / "run", "mini-001", "--data", moved).out
    assert codearena("rescore", tmp_path / "run", "--data", moved).code == 0


def test_a_moved_suite_file_may_be_named_by_the_environment(codearena, tmp_path, monkeypatch):
    data = tmp_path / "mine.jsonl"
    data.write_bytes((MINI / "prompts.jsonl").read_bytes())
    options = ("--data", data, "--judge", "static", "--output", tmp_path / "run")
    codearena("judge", MINI / "answers_careful.jsonl", *options)
    monkeypatch.setenv("CODEARENA_DATA", str(data.rename(tmp_path / "moved.jsonl")))
    assert "question (user)" in codearena("show", tmp_path / "run", "mini-001").out


def test_a_run_without_its_answers_says_so_in_plain_words(codearena, static_run):
    run = static_run("careful")
    (run / "answers.jsonl").unlink()
    done = codearena("show", run)
    assert done.code == 2
    assert "answers.jsonl', the answers of the run, cannot be read: No such file or directory" in done.err
    assert "Errno" not in done.err
    assert "Error" not in done.err
