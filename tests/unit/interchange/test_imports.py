from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from foreign_verdicts import BASELINE, said, v2, write_lines

from codearena_plugin.errors import DataError
from codearena_plugin.interchange.arena_hard import import_arena_hard
from codearena_plugin.interchange.imports import Kept, keep_imports, run_places
from codearena_plugin.interchange.reading import ImportOptions
from codearena_plugin.prompts.answers import read_answers
from codearena_plugin.runs.compare import check_comparable, stored_outcomes
from codearena_plugin.runs.files import load_run, protocol_of
from codearena_plugin.runs.imported import bare_suite, has_answers, has_questions

ROWS = [v2(f"p{n}", "B>A", said("My verdict: [[A>B]]", "A>B")) for n in range(4)]


def kept(tmp_path: Path, rows: list[dict[str, Any]], name: str = "runs", **options: Any) -> list[Kept]:
    file = write_lines(tmp_path / f"{name}.jsonl", rows)
    return keep_imports(import_arena_hard([file], ImportOptions(**options)), tmp_path / name)


def test_an_import_is_a_run_that_can_be_loaded(tmp_path: Path) -> None:
    (found,) = kept(tmp_path, ROWS)
    run = load_run(found.path)
    assert found.path == tmp_path / "runs" / "m"
    assert run.result == found.result
    assert run.result["metrics"]["score"]["estimate"] == 1.0
    assert [outcome.points for outcome in stored_outcomes(run)] == [2, 2, 2, 2]
    assert run.games[1].replies[0].text == "My verdict: [[A>B]]"


def test_the_manifest_does_not_pretend_to_know_more_than_the_file(tmp_path: Path) -> None:
    manifest = kept(tmp_path, ROWS)[0].result["manifest"]
    judge, answers = manifest["judge"], manifest["answers"]
    assert judge["prompt_sha256"] == "unknown"
    assert [judge[name] for name in ("sampling", "attempts", "base_url", "context_tokens", "store")] == [None] * 5
    assert [answers[name] for name in ("empty", "reasoning_stripped", "cut_at_token_limit")] == [None] * 3
    assert answers["absent"]
    assert not has_answers(manifest)
    assert not has_questions(manifest)
    assert manifest["platform"] == {}
    assert "judge prompt and sampling are not in the file" in judge["notice"]


def test_the_manifest_says_where_the_verdicts_come_from(tmp_path: Path) -> None:
    block = kept(tmp_path, ROWS)[0].result["manifest"]["imported"]
    (file,) = block["files"]
    assert (block["format"], block["rows"], block["disagreements"]) == ("arena-hard-auto v2", 4, 0)
    assert block["replies"] == {"agrees": 4}
    assert (file["file"], file["rows"], file["skipped"]) == (str(tmp_path / "runs.jsonl"), 4, 0)
    assert len(file["sha256"]) == 64


def test_nothing_is_said_about_classes_or_languages_of_unknown_questions(tmp_path: Path) -> None:
    (found,) = kept(tmp_path, ROWS)
    assert set(found.result["strata"]) == {"class", "sub_class", "language", "difficulty", "natural_language"}
    assert not any(found.result["strata"].values())
    assert not (found.path / "strata.json").exists()


def test_an_answer_that_is_not_in_the_import_is_never_an_empty_one(tmp_path: Path) -> None:
    (found,) = kept(tmp_path, ROWS)
    lines = [json.loads(line) for line in (found.path / "answers.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["p0", "p1", "p2", "p3"]
    assert {line["response"] for line in lines} == {None}
    suite = bare_suite("any", ["p0", "p1", "p2", "p3"], BASELINE, source="")
    with pytest.raises(DataError, match=r"answers\.jsonl:1: field 'response': got None"):
        read_answers(found.path / "answers.jsonl", suite)


def test_answers_of_a_file_are_kept_with_the_run(tmp_path: Path) -> None:
    answers = write_lines(
        tmp_path / "answers" / "m.jsonl", [{"uid": f"p{n}", "model": "m", "response": "x" * n} for n in range(9)]
    )
    (found,) = kept(tmp_path, ROWS, answers=answers)
    run = load_run(found.path)
    assert [answer.text for answer in run.answers] == ["", "x", "xx", "xxx"]
    assert has_answers(run.result["manifest"])
    assert run.result["manifest"]["answers"]["empty"] == 1


def test_a_run_with_questions_and_answers_has_its_strata_and_its_style(mini_answers: Path, tmp_path: Path) -> None:
    rows = [v2(f"mini-{n:03}", "B>A", "A>B", model="careful", baseline="mini-baseline") for n in range(1, 33)]
    options = {"suite": "codearena_mini", "answers": mini_answers / "answers_careful.jsonl"}
    (found,) = kept(tmp_path, rows, **options)
    assert (found.path / "strata.json").is_file()
    assert (found.path / "style.json").is_file()
    assert sum(row["n_prompts"] for row in found.result["strata"]["class"]) == 32
    assert found.result["manifest"]["suite"]["name"] == "codearena_mini"
    assert found.result["manifest"]["suite"]["is_demo"]


def test_two_models_of_one_family_compare_and_other_judges_or_prompts_do_not(tmp_path: Path) -> None:
    a, b = kept(tmp_path, [*ROWS, *(v2(f"p{n}", "A>B", "B>A", model="n") for n in range(4))])
    (other_judge,) = kept(tmp_path, [{**row, "judge": "gemini-2.5"} for row in ROWS], "judge")
    (other_prompts,) = kept(tmp_path, ROWS[:3], "prompts")
    (other_baseline,) = kept(tmp_path, [{**row, "baseline": "gpt-4"} for row in ROWS], "baseline")
    check_comparable([load_run(a.path), load_run(b.path)])
    for other, why in ((other_judge, "judge model"), (other_prompts, "suite"), (other_baseline, "with gpt-4")):
        with pytest.raises(DataError, match=why):
            check_comparable([load_run(a.path), load_run(other.path)])


def test_another_import_of_the_same_prompts_compares(tmp_path: Path) -> None:
    (a,) = kept(tmp_path, ROWS, "first")
    (b,) = kept(tmp_path, [{**row, "model": "n"} for row in reversed(ROWS)], "second")
    assert protocol_of(a.result["manifest"]) == protocol_of(b.result["manifest"])


def test_importing_again_writes_the_same_run_and_never_over_another(tmp_path: Path) -> None:
    (first,) = kept(tmp_path, ROWS)
    (again,) = kept(tmp_path, ROWS)
    assert again.result["metrics"] == first.result["metrics"]
    with pytest.raises(DataError, match=r"holds another run: judge model 'gpt-4\.1', now 'gemini-2.5'"):
        kept(tmp_path, [{**row, "judge": "gemini-2.5"} for row in ROWS])
    assert load_run(first.path).result["manifest"]["judge"]["model"] == "gpt-4.1"


def test_no_run_is_written_where_one_of_them_cannot_be(tmp_path: Path) -> None:
    kept(tmp_path, [{**row, "model": "n"} for row in ROWS])
    rows = [{**row, "judge": "gemini-2.5", "model": model} for model in ("fresh", "n") for row in ROWS]
    with pytest.raises(DataError, match="holds another run"):
        kept(tmp_path, rows)
    assert not (tmp_path / "runs" / "fresh").exists()


HOSTILE = [
    "../../../etc/cron.d/x",
    "/etc/passwd",
    "..",
    ".",
    "a/b",
    "a_b",
    "a\\b",
    "GPT",
    "gpt",
    "x" * 5000,
    "x" * 5000 + "y",
    "nul\x00byte",
    "line\nend",
    "\x1b[31mred",
    "\u202eltr",
    "\ud800",
    "模型",
    "-rf",
    "%s{0}",
]


def test_a_models_name_never_leaves_the_directory_and_never_meets_another(tmp_path: Path) -> None:
    found = kept(tmp_path, [v2("p", "B>A", "A>B", model=name) for name in HOSTILE])
    places = [run.path for run in found]
    assert {place.parent for place in places} == {tmp_path / "runs"}
    assert len({place.name.lower() for place in places}) == len(HOSTILE)
    assert all(place.name.isascii() and place.name.isprintable() and len(place.name) < 100 for place in places)
    assert [load_run(place).model for place in places] == HOSTILE


def test_a_plain_name_is_the_name_of_its_directory(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "v.jsonl", [v2("p", "B>A", "A>B", model="Qwen2.5-7B+lora_1")])
    imports = import_arena_hard([file], ImportOptions())
    assert run_places(imports, tmp_path) == [tmp_path / "Qwen2.5-7B+lora_1"]


@pytest.mark.parametrize("uid", ["u" * 1_000_000, "a/../b", "\x00", "\ud800", "p\n", 10**30, "None"])
def test_any_id_survives(tmp_path: Path, uid: Any) -> None:
    (found,) = kept(tmp_path, [v2(uid, "B>A", "A>B")])
    run = load_run(found.path)
    assert {game.prompt_id for game in run.games} == {answer.prompt_id for answer in run.answers} == {str(uid)}


@pytest.mark.skipif(sys.platform == "win32", reason="a file in the place of a directory")
def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(DataError, match=r"runs.*cannot be made"):
        kept(tmp_path, ROWS)
