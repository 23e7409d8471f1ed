"""What harnesses share of a benchmark: begun answers, rows that travel, shares of cores, when a score is withheld."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pass_runs import ANSWERS, HUMANEVAL_IDS, sandbox_options, write_data

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.execution.evalplus.problems import Checked, PassOptions
from codearena_plugin.gap.reading import read_file
from codearena_plugin.harness.passing.checking import (
    Chosen,
    Generated,
    check,
    chosen,
    known_style,
    programs_in,
    shared_between,
)
from codearena_plugin.harness.passing.prompts import conversation_of, document_of, prefill_for, takes_text
from codearena_plugin.harness.passing.rows import checked_from, row_of
from codearena_plugin.harness.passing.run import executions_of, finish, free_place, keep_samples, lines_of


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Chosen:
    data = write_data(tmp_path_factory.mktemp("evalplus"))
    return chosen("humaneval", {"codearena_evalplus_data": str(data), **sandbox_options()}, "a task")


@pytest.fixture(scope="module")
def checked(small: Chosen) -> tuple[Checked, ...]:
    texts = [Generated(name, ANSWERS[name]) for name in HUMANEVAL_IDS]
    said: list[str] = []
    found = check(small.benchmark, programs_in(small.benchmark, texts, "chat"), small.options, say=said.append)
    assert said[-1] == "HumanEval+: 4 of 4 samples checked"
    return found


def plain(turns: list[dict[str, str]], add_generation_prompt: bool) -> str:
    return "".join(f"<{turn['role']}>{turn['content']}" for turn in turns) + "<end>" * add_generation_prompt


def closing(turns: list[dict[str, str]], add_generation_prompt: bool) -> str:
    return plain(turns, add_generation_prompt) + "</s>"


def refusing(turns: list[dict[str, str]], add_generation_prompt: bool) -> str:
    if turns[-1]["role"] == "assistant":
        msg = "the last turn must be the user's"
        raise ValueError(msg)
    return plain(turns, add_generation_prompt)


def keeping(turns: list[dict[str, str]], add_generation_prompt: bool) -> list[dict[str, str]]:
    return turns


@pytest.mark.parametrize(
    ("template", "begins", "is_text"),
    [(plain, True, True), (None, True, True), (closing, False, True), (refusing, False, True), (keeping, False, False)],
)
def test_an_answer_is_begun_only_where_the_template_leaves_it_open(
    small: Chosen, template: Callable[..., Any] | None, begins: bool, is_text: bool
) -> None:
    doc = document_of(small.benchmark.problems[0])
    assert (prefill_for(doc, template, "Be brief.", {}) == "yes") is begins
    assert prefill_for(doc, template, None, {"codearena_prefill": False}) == "no: turned off"
    assert template is None or takes_text(template) is is_text


def test_a_conversation_has_the_system_text_first_and_the_beginning_last(small: Chosen) -> None:
    doc = document_of(small.benchmark.problems[0])
    roles = [turn["role"] for turn in conversation_of(doc, "Be brief.", begun=True)]
    assert roles[0] == "system"
    assert roles[-1] == "assistant"
    assert doc["prefill"].rstrip().endswith("```python")
    assert "add_one" in doc["question"]
    assert doc["canonical"].rstrip().endswith("return x + 1")


def test_rows_travel_as_json_and_come_back(checked: tuple[Checked, ...]) -> None:
    rows = json.loads(json.dumps(row_of(checked[:2])))
    again = [one for row in rows for one in checked_from(checked[rows.index(row)].task_id, [row])]
    assert [(one.task_id, one.base, one.plus, one.solution) for one in again] == [
        (one.task_id, one.base, one.plus, one.solution) for one in checked[:2]
    ]
    huge = Checked("HumanEval/900", 0, "", "fail", "fail", ((list(range(9999)),),))
    assert len(row_of([huge])[0]["base_failed"][0]) < 1100


def test_a_surrogate_in_a_text_costs_nothing(small: Chosen, tmp_path: Path) -> None:
    texts = [Generated("HumanEval/900", "```python\ndef add_one(x):\n    return x + 1  # \ud800\n```")]
    samples = programs_in(small.benchmark, texts, "chat")
    keep_samples(tmp_path, "m", texts, samples)
    found = check(small.benchmark, samples, small.options, say=lambda _: None)
    run = finish(tmp_path, "m", small, found, {})
    assert json.loads((tmp_path / "samples.jsonl").read_text())["response"].endswith("\ud800\n```")
    assert run.withheld is None


def test_processes_share_the_cores_of_the_machine() -> None:
    assert shared_between(PassOptions(workers=8), 1).workers == 8
    assert shared_between(PassOptions(workers=8), 3).workers == 2
    assert shared_between(PassOptions(workers=1), 4).workers == 1
    assert (shared_between(PassOptions(), 64).workers or 0) >= 1


def test_the_run_is_read_by_the_gap_as_it_was_measured(
    small: Chosen, checked: tuple[Checked, ...], tmp_path: Path
) -> None:
    run = finish(tmp_path, "org/model", small, reversed(checked), {"name": "test"})
    assert [one.task_id for one in run.checked] == list(HUMANEVAL_IDS)
    in_process = {one.benchmark: one for one in executions_of(run, "org/model")}
    on_disk = {one.benchmark: one for one in read_file(tmp_path / "execution.json")}
    assert in_process.keys() == on_disk.keys() == {"humaneval", "humaneval+"}
    for name, one in in_process.items():
        other = on_disk[name]
        assert (one.model, one.estimate, one.n, one.n_expected, one.engine, one.notices) == (
            *(other.model, other.estimate, other.n, other.n_expected, other.engine, other.notices),
        )
        assert one.interval
        assert other.interval
        assert one.interval.stderr == pytest.approx(other.interval.stderr)
    assert in_process["humaneval+"].estimate == 0.5
    assert any("4 of 4 problems" in line for _, line in lines_of(run))


def test_one_sample_that_was_not_run_withholds_the_score(
    small: Chosen, checked: tuple[Checked, ...], tmp_path: Path
) -> None:
    lost = Checked("HumanEval/903", 0, "", "not-run", "not-run", why="no room")
    run = finish(tmp_path, "m", small, [*checked[:3], lost], {})
    assert run.withheld == "1 of 4 samples were not run: no room"
    assert run.coverage == 0.75
    assert executions_of(run, "m") == []
    assert set(json.loads((tmp_path / "eval_results.json").read_text())["eval"]) == set(HUMANEVAL_IDS[:3])
    with pytest.raises(DataError):
        read_file(tmp_path / "execution.json")
    assert any("NO SCORE" in line for _, line in lines_of(run))


LOG = logging.getLogger("test")


def test_a_place_with_something_else_in_it_is_left_alone(small: Chosen, tmp_path: Path, caplog: Any) -> None:
    samples = programs_in(small.benchmark, [Generated("HumanEval/900", "x = 1")], "chat")
    place = tmp_path / "run"
    place.mkdir()
    (place / "execution.json").write_text("not JSON")
    fresh = free_place(place, small, samples, LOG)
    assert fresh != place
    assert "holds another run" in caplog.text


def test_a_run_takes_the_place_of_the_same_one_only(small: Chosen, tmp_path: Path) -> None:
    one, other = (
        programs_in(small.benchmark, [Generated("HumanEval/900", text)], "chat") for text in ("x = 1", "x = 2")
    )
    place = free_place(tmp_path / "run", small, one, LOG)
    assert place == tmp_path / "run"
    verdicts = [Checked(sample.task_id, 0, sample.text, "fail", "fail") for sample in one]
    finish(place, "m", small, verdicts, {})
    assert free_place(place, small, one, LOG) == place
    assert free_place(place, small, other, LOG) != place
    stored = json.loads((place / "execution.json").read_text())
    for key in ("engine", "sandbox", "md5"):
        (place / "execution.json").write_text(json.dumps({**stored, key: "another"}))
        assert free_place(place, small, one, LOG) != place
    (place / "execution.json").write_text(json.dumps({**stored, "sandbox": "another", "withheld": "no sandbox"}))
    assert free_place(place, small, one, LOG) == place


def test_two_processes_never_write_to_one_place(small: Chosen, tmp_path: Path, caplog: Any) -> None:
    place = tmp_path / "run"
    place.mkdir()
    hold = "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); print(1, flush=True)"
    command = [sys.executable, "-c", f"{hold}; sys.stdin.read()", str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        fresh = free_place(place, small, [], LOG)
        assert fresh.parent == place.parent
        assert fresh != place
        assert "is being written to by another process" in caplog.text
        first.kill()
    assert free_place(place, small, [], LOG) == place


def test_a_file_system_without_locks_is_written_to_and_no_descriptor_is_left(
    small: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert free_place(tmp_path / "run", small, [], LOG) == tmp_path / "run"
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_unknown_names_are_refused_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'chat'"):
        known_style("chatt")
    with pytest.raises(ConfigError, match="Did you mean 'humaneval'"):
        chosen("humanevall", {}, "a task")
