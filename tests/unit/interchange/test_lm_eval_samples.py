from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from foreign_verdicts import judge_samples_of, samples_of, write_lines
from judge_server import JudgeServer
from judging_runs import BASELINE, a_suite, judged

from codearena_plugin.errors import DataError
from codearena_plugin.interchange.imports import Kept, keep_imports
from codearena_plugin.interchange.lm_eval_samples import import_samples
from codearena_plugin.interchange.reading import ImportOptions
from codearena_plugin.runs.compare import check_comparable
from codearena_plugin.runs.files import StoredRun, load_run

SUITE = a_suite(6)
KNOWN = ImportOptions(model="candidate", baseline=BASELINE, judge_model="local-judge")
NAME = "samples_codearena_2026-11-20T12-00-00.000000.jsonl"
JUDGE_NAME = f"samples_judge_{NAME.removeprefix('samples_')}"


@pytest.fixture
def native(tmp_path: Path) -> StoredRun:
    with JudgeServer() as server:
        return load_run(judged(server, tmp_path, suite=SUITE, name="native").path)


def kept(tmp_path: Path, rows: list[dict[str, Any]], name: str = NAME, options: ImportOptions = KNOWN) -> Kept:
    file = write_lines(tmp_path / "lm-eval" / name, rows)
    (found,) = keep_imports(import_samples([file], options), tmp_path / "runs")
    return found


def beside(tmp_path: Path, native: StoredRun, name: str = NAME) -> None:
    """Put our own file where lm-eval's run puts it."""
    own = name.removeprefix("samples_").removesuffix(".jsonl")
    target = tmp_path / "lm-eval" / f"{own if own.startswith('codearena') else f'codearena_{own}'}.json"
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(native.path / "result.json", target)


def test_the_run_of_lm_eval_comes_back_as_it_was(tmp_path: Path, native: StoredRun) -> None:
    beside(tmp_path, native)
    found = load_run(kept(tmp_path, samples_of(native, SUITE), options=ImportOptions()).path)
    assert found.games == native.games
    assert [answer.text for answer in found.answers] == [answer.text for answer in native.answers]
    assert found.result["metrics"] == native.result["metrics"]
    assert found.result["strata"] == native.result["strata"]
    assert found.result["manifest"]["judge"] == native.result["manifest"]["judge"]
    assert found.result["manifest"]["imported"]["disagreements"] == 0
    check_comparable([native, found])


def test_the_order_of_the_lines_is_that_of_the_documents(tmp_path: Path, native: StoredRun) -> None:
    beside(tmp_path, native)
    rows = samples_of(native, SUITE)
    assert load_run(kept(tmp_path, rows[1::2] + rows[::2]).path).games == native.games


def test_a_judges_samples_come_back_without_answers(tmp_path: Path, native: StoredRun) -> None:
    beside(tmp_path, native, JUDGE_NAME)
    found = kept(tmp_path, judge_samples_of(native), JUDGE_NAME, ImportOptions())
    run = load_run(found.path)
    assert run.games == native.games
    assert run.result["metrics"] == native.result["metrics"]
    answers = run.result["manifest"]["answers"]
    assert answers["absent"]
    assert answers["judged_sha256"] == native.result["manifest"]["answers"]["sha256"]
    check_comparable([native, run])


def test_answers_given_with_a_judges_samples_must_be_those_that_were_judged(tmp_path: Path, native: StoredRun) -> None:
    beside(tmp_path, native, JUDGE_NAME)
    options = ImportOptions(answers=native.path / "answers.jsonl")
    run = load_run(kept(tmp_path, judge_samples_of(native), JUDGE_NAME, options).path)
    assert run.answers == native.answers
    others = [{"id": prompt.id, "model": "candidate", "response": "another"} for prompt in SUITE.prompts]
    options = ImportOptions(answers=write_lines(tmp_path / "others.jsonl", others))
    with pytest.raises(DataError, match=r"others\.jsonl: not the answers that were judged"):
        kept(tmp_path, judge_samples_of(native), JUDGE_NAME, options)


def test_samples_that_were_changed_are_no_proof(tmp_path: Path, native: StoredRun) -> None:
    beside(tmp_path, native)
    rows = samples_of(native, SUITE)
    rows[3]["judgement"]["games"][0] |= {"status": "scored", "label": "B>>A"}
    with pytest.raises(DataError, match=r"is not the result of the games in .* one of them was changed"):
        kept(tmp_path, rows, options=ImportOptions())


def test_an_option_may_not_contradict_the_run_beside_the_samples(tmp_path: Path, native: StoredRun) -> None:
    beside(tmp_path, native)
    with pytest.raises(DataError, match="--judge-model says 'me', and lm-eval's run beside it 'local-judge'"):
        kept(tmp_path, samples_of(native, SUITE), options=ImportOptions(judge_model="me"))


def test_samples_alone_make_a_run_with_the_same_numbers(tmp_path: Path, native: StoredRun) -> None:
    found = load_run(kept(tmp_path, samples_of(native, SUITE)).path)
    assert found.result["metrics"] == native.result["metrics"]
    assert found.result["strata"] == native.result["strata"]
    assert found.result["manifest"]["suite"]["fingerprint"] == SUITE.fingerprint
    assert found.result["manifest"]["judge"]["prompt_sha256"] == "unknown"
    assert found.result["manifest"]["imported"]["stated"] == {
        "model": "candidate",
        "baseline": BASELINE,
        "judge_model": "local-judge",
    }


def test_samples_alone_do_not_compare_with_a_run_whose_judge_is_known(tmp_path: Path, native: StoredRun) -> None:
    found = load_run(kept(tmp_path, samples_of(native, SUITE)).path)
    with pytest.raises(DataError, match="judge card"):
        check_comparable([native, found])


def test_two_judges_that_nobody_knows_are_not_one_judge(tmp_path: Path, native: StoredRun) -> None:
    nobody = ImportOptions(model="candidate", baseline=BASELINE)
    rows = samples_of(native, SUITE)
    one = load_run(kept(tmp_path, rows, options=nobody).path)
    other = load_run(
        kept(tmp_path, rows, options=ImportOptions(model="other", baseline=BASELINE, judge_model="known")).path
    )
    assert one.result["manifest"]["judge"]["model"].startswith(f"unknown, of {NAME} (sha256 ")
    with pytest.raises(DataError, match="judge model 'unknown, of samples_codearena"):
        check_comparable([one, other])


@pytest.mark.parametrize(("missing", "flag"), [("model", "--model"), ("baseline", "--baseline")])
def test_what_only_the_user_can_know_is_asked_for(tmp_path: Path, native: StoredRun, missing: str, flag: str) -> None:
    options = ImportOptions(**{"model": "m", "baseline": "b", missing: None})
    with pytest.raises(DataError, match=f"Say it with {flag} NAME"):
        kept(tmp_path, samples_of(native, SUITE), options=options)


def test_the_questions_are_kept_beside_a_run_of_the_real_suite(tmp_path: Path, native: StoredRun) -> None:
    from codearena_plugin.runs.rescore import suite_of

    found = load_run(kept(tmp_path, samples_of(native, SUITE)).path)
    assert found.result["manifest"]["suite"]["file"] == str(found.path / "prompts.jsonl")
    suite = suite_of(found)
    assert suite.fingerprint == SUITE.fingerprint
    assert suite.prompts[0].messages == SUITE.prompts[0].messages


def test_a_judges_replies_that_nobody_has_read_are_read_now(tmp_path: Path, native: StoredRun) -> None:
    rows = judge_samples_of(native)
    for row in rows:
        del row["judgement"]
    rows[0]["resps"] = [["Both are fine."]]
    found = load_run(kept(tmp_path, rows, JUDGE_NAME).path)
    assert [game.verdict.label for game in found.games[1:]] == [game.verdict.label for game in native.games[1:]]
    assert found.games[0].verdict.status == "unparsable"


def test_answers_without_verdicts_are_sent_to_the_command_that_judges_them(tmp_path: Path, native: StoredRun) -> None:
    rows = samples_of(native, SUITE)
    for row in rows:
        del row["judgement"]
    with pytest.raises(
        DataError, match=r"answers and no verdicts .* codearena judge .*samples_codearena.* judges them"
    ):
        kept(tmp_path, rows)


def test_records_of_other_filters_are_counted_as_skipped(tmp_path: Path, native: StoredRun) -> None:
    rows = samples_of(native, SUITE)
    twice = [{**row, "filter": name} for name in ("none", "strict") for row in rows]
    (file,) = kept(tmp_path, twice).result["manifest"]["imported"]["files"]
    assert (file["rows"], file["skipped"]) == (12, 6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"doc": None}, "field 'doc'"),
        ({"doc": {"id": "p001"}}, "field 'doc'"),
        ({"resps": None}, "field 'resps'"),
        ({"resps": [[None]]}, "field 'resps'"),
        ({"doc_id": "1"}, "field 'doc_id'"),
        ({"judgement": {"games": {}}}, "field 'judgement'"),
        ({"judgement": None}, "field 'judgement'"),
        ({"judgement": {"games": [{}]}}, "field 'judgement': not a game"),
        ({"judgement": {"games": ["x"]}}, "field 'judgement': not a game"),
    ],
)
def test_a_record_that_cannot_be_read_is_named(
    tmp_path: Path, native: StoredRun, change: dict[str, Any], said: str
) -> None:
    rows = samples_of(native, SUITE)
    rows[1] = {**rows[1], **change}
    with pytest.raises(DataError, match=rf"samples_codearena.*jsonl:2: {said}"):
        kept(tmp_path, rows)


@pytest.mark.parametrize(
    "change",
    [
        {"finish_reason": 5},
        {"latency_s": "long"},
        {"latency_s": float("nan")},
        {"prompt_tokens": "1"},
        {"attempts": []},
    ],
)
def test_a_reply_with_parts_of_the_wrong_kind_is_named(
    tmp_path: Path, native: StoredRun, change: dict[str, Any]
) -> None:
    rows = samples_of(native, SUITE)
    rows[1]["judgement"]["games"][0]["replies"][0] |= change
    with pytest.raises(DataError, match=r"samples_codearena.*jsonl:2: field 'judgement': not a game"):
        kept(tmp_path, rows)


@pytest.mark.parametrize("field", ["messages", "baseline", "difficulty", "languages"])
def test_a_document_that_cannot_be_read_is_named(tmp_path: Path, native: StoredRun, field: str) -> None:
    rows = samples_of(native, SUITE)
    rows[1]["doc"][field] = 7
    with pytest.raises(DataError, match=r"samples_codearena.*jsonl:2: field"):
        kept(tmp_path, rows)


def test_games_of_another_prompt_or_twice_one_order_are_refused(tmp_path: Path, native: StoredRun) -> None:
    rows = samples_of(native, SUITE)
    rows[1]["judgement"] = rows[0]["judgement"]
    with pytest.raises(DataError, match=r"jsonl:2: field 'judgement': .*all of 'p001'"):
        kept(tmp_path, rows)
    rows = samples_of(native, SUITE)
    rows[1]["judgement"]["games"] *= 2
    with pytest.raises(DataError, match=r"jsonl:2: field 'judgement': .*one game per order"):
        kept(tmp_path, rows)


def test_a_document_that_is_there_twice_names_both_lines(tmp_path: Path, native: StoredRun) -> None:
    rows = samples_of(native, SUITE)
    with pytest.raises(DataError, match=r"jsonl:7: the document 'p000' was there before, in .*jsonl:1"):
        kept(tmp_path, [*rows, rows[0]])


def test_in_a_folder_only_our_tasks_samples_are_meant(tmp_path: Path, native: StoredRun) -> None:
    folder = tmp_path / "out"
    write_lines(folder / NAME, samples_of(native, SUITE))
    write_lines(folder / "samples_gsm8k_2026.jsonl", [{"doc": {}}])
    assert len(import_samples([folder], KNOWN)) == 1
    (folder / NAME).unlink()
    with pytest.raises(DataError, match=r"holds no samples_codearena\*\.jsonl"):
        import_samples([folder], KNOWN)


def test_a_damaged_result_beside_the_samples_is_named(tmp_path: Path, native: StoredRun) -> None:
    beside(tmp_path, native)
    (own,) = (tmp_path / "lm-eval").glob("codearena_*.json")
    for damage in ("{", "[]", json.dumps({"schema": "codearena-result/1"}), '{"schema": NaN}'):
        own.write_text(damage)
        with pytest.raises(DataError, match="cannot be read as the result of these samples"):
            kept(tmp_path, samples_of(native, SUITE))
