from __future__ import annotations

import json
from pathlib import Path

import pytest
from unit_runs import write_run

from codearena_plugin.errors import DataError
from codearena_plugin.prompts.taxonomy import MAIN_CLASSES, SUB_CLASSES, UNCLASSIFIED
from codearena_plugin.records import Category, Prompt
from codearena_plugin.runs.strata import STRATA_FILE, save_strata, strata_of_prompts, strata_of_run


def test_every_prompt_is_in_one_stratum_of_each_kind_and_in_one_per_language() -> None:
    placed = Prompt("a", (), ("C", "Rust"), SUB_CLASSES[0], "hard", "zh")
    bare = Prompt("b", ())
    found = strata_of_prompts([placed, bare])
    assert {kind: rows["a"] for kind, rows in found.items()} == {
        "class": [SUB_CLASSES[0].main_class],
        "sub_class": [SUB_CLASSES[0].sub_class],
        "language": ["C", "Rust"],
        "difficulty": ["hard"],
        "natural_language": ["zh"],
    }
    assert [rows["b"] for rows in found.values()] == [[UNCLASSIFIED], [UNCLASSIFIED], ["general"], ["unstated"], ["en"]]


def test_a_run_keeps_its_strata_and_needs_no_suite_for_them(tmp_path: Path) -> None:
    run = write_run(tmp_path, "m", "wl")
    save_strata(run.path, [Prompt(f"p{i}", (), ("Go",), Category(MAIN_CLASSES[0], "x")) for i in range(2)])
    found = strata_of_run(run)
    assert found is not None
    assert (found["language"], found["class"]["p1"]) == ({"p0": ["Go"], "p1": ["Go"]}, [MAIN_CLASSES[0]])


def test_without_the_file_and_without_the_suite_nothing_is_known(tmp_path: Path) -> None:
    run = write_run(tmp_path, "m", "wl")
    (run.path / STRATA_FILE).unlink()
    assert strata_of_run(run) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": "codearena-strata/1", "strata": {}}'])
def test_a_file_that_is_not_what_it_should_be_is_named(tmp_path: Path, text: str) -> None:
    run = write_run(tmp_path, "m", "wl")
    (run.path / STRATA_FILE).write_text(text)
    with pytest.raises(DataError, match=r"strata\.json' cannot be read as codearena-strata/1"):
        strata_of_run(run)


@pytest.mark.parametrize("change", [{"schema": "codearena-strata/2"}, {"strata": None}])
def test_a_file_of_another_schema_or_with_other_values_is_refused(tmp_path: Path, change: dict) -> None:
    run = write_run(tmp_path, "m", "wl")
    found = json.loads((run.path / STRATA_FILE).read_text())
    if "strata" in change:
        change = {"strata": {**found["strata"], "language": {"p0": [1], "p1": ["Rust"]}}}
    (run.path / STRATA_FILE).write_text(json.dumps({**found, **change}))
    with pytest.raises(DataError, match="not what codearena-strata/1 says"):
        strata_of_run(run)
