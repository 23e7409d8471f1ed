from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from foreign_verdicts import v2, write_lines
from judge_server import JudgeServer, permanent
from judging_runs import a_suite, judged

from codearena_plugin.errors import DataError, MissingExtraError
from codearena_plugin.interchange import export
from codearena_plugin.interchange.arena_hard import import_arena_hard
from codearena_plugin.interchange.export import COLUMNS, SCHEMA, verdict_rows, write_jsonl
from codearena_plugin.interchange.imports import keep_imports
from codearena_plugin.interchange.reading import ImportOptions
from codearena_plugin.interchange.tables import write_dataset, write_parquet
from codearena_plugin.records import Reply
from codearena_plugin.runs.compare import stored_outcomes
from codearena_plugin.runs.files import StoredRun, load_run
from codearena_plugin.runs.strata import strata_of_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    """A run of which some games failed, so that its score is withheld."""
    with JudgeServer(script=permanent("unparsable", 0.3)) as server:
        return load_run(judged(server, tmp_path_factory.mktemp("run"), suite=a_suite(24)).path)


def rows_of(run: StoredRun, **options: Any) -> list[dict[str, Any]]:
    return list(verdict_rows(run, strata_of_run(run), **options))


def test_there_is_one_row_per_game_with_every_column(run: StoredRun) -> None:
    rows = rows_of(run)
    assert len(rows) == len(run.games) == 48
    assert all(list(row) == list(COLUMNS) for row in rows)
    assert {row["schema"] for row in rows} == {SCHEMA}
    assert Counter(row["status"] for row in rows) == {k: n for k, n in run.result["statuses"].items() if n}


def test_the_module_documents_every_column_and_no_other() -> None:
    lines = str(export.__doc__).splitlines()
    first, last = (place for place, line in enumerate(lines) if line.startswith("===="))
    cells = [line[:22] for line in lines[first + 1 : last] if not line.startswith(" ")]
    documented = [name.strip() for cell in cells for name in cell.split(",")]
    assert sorted(documented) == sorted([*COLUMNS, "replies"])


def test_points_and_outcomes_are_those_of_the_run(run: StoredRun) -> None:
    rows = rows_of(run)
    outcomes = {outcome.prompt_id: outcome for outcome in stored_outcomes(run)}
    assert any(row["outcome"] is None for row in rows)
    for row in rows:
        assert (row["label"] is None) == (row["points"] is None) == (row["status"] != "scored")
        assert row["outcome"] == outcomes[row["prompt_id"]].score
    whole = [row for row in rows if row["outcome"] is not None]
    by_prompt: Counter[str] = Counter()
    for row in whole:
        by_prompt[row["prompt_id"]] += row["points"]
    assert {row["prompt_id"]: row["outcome_points"] for row in whole} == by_prompt


def test_every_row_says_that_the_score_is_withheld(run: StoredRun) -> None:
    assert run.result["withheld"]
    assert {row["withheld"] for row in rows_of(run)} == {run.result["withheld"]}


def test_the_judges_texts_come_on_request(run: StoredRun) -> None:
    assert "replies" not in rows_of(run)[0]
    rows = rows_of(run, replies=True)
    assert [row["replies"] for row in rows] == [[reply.text for reply in game.replies] for game in run.games]


def test_what_an_import_does_not_know_is_null(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "v.jsonl", [v2("p", "A>B", None)])
    (kept,) = keep_imports(import_arena_hard([file], ImportOptions()), tmp_path)
    rows = rows_of(load_run(kept.path))
    unknown = ("class", "sub_class", "languages", "difficulty", "natural_language", "served_model", "finish_reason")
    for row in rows:
        assert {row[name] for name in (*unknown, "prompt_tokens", "completion_tokens", "latency_s")} == {None}
        assert row["imported"] == "arena-hard-auto v2"
        assert row["prompt_sha256"] == "unknown"


def test_the_file_is_strict_json_whatever_a_judge_says(run: StoredRun, tmp_path: Path) -> None:
    strange = "\ud800 \x00 \u2028 \x85 模型 👍"
    games = (replace(run.games[0], replies=(Reply(text=strange),), request_keys=("k",)), *run.games[1:])
    n = write_jsonl(tmp_path / "v.jsonl", verdict_rows(replace(run, games=games), None, replies=True))
    lines = (tmp_path / "v.jsonl").read_text(encoding="ascii").splitlines()
    assert n == len(lines) == 48
    assert json.loads(lines[0])["replies"] == [strange]


def test_a_file_that_cannot_be_written_is_one_line(run: StoredRun, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent.*cannot be written"):
        write_jsonl(tmp_path / "absent" / "v.jsonl", verdict_rows(run, None))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_parquet, write_dataset])
def test_without_datasets_the_command_that_installs_it_is_named(
    tmp_path: Path, run: StoredRun, monkeypatch: pytest.MonkeyPatch, write: Any
) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'codearena-plugin\[datasets\]'"):
        write(tmp_path / "v", rows_of(run))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("default")  # what datasets warns of is not ours to judge
class TestTables:
    @pytest.fixture(autouse=True)
    def _needs_datasets(self) -> None:
        pytest.importorskip("datasets", reason="datasets is not installed here")

    @pytest.mark.parametrize("replies", [False, True])
    def test_a_data_set_holds_what_the_rows_say(self, tmp_path: Path, run: StoredRun, *, replies: bool) -> None:
        import datasets

        rows = rows_of(run, replies=replies)
        write_dataset(tmp_path / "v", rows)
        assert datasets.load_from_disk(str(tmp_path / "v")).to_list() == rows

    def test_a_parquet_file_holds_what_the_rows_say(self, tmp_path: Path, run: StoredRun) -> None:
        import datasets

        rows = rows_of(run)
        write_parquet(tmp_path / "v.parquet", rows)
        assert datasets.Dataset.from_parquet(str(tmp_path / "v.parquet"), cache_dir=str(tmp_path)).to_list() == rows

    def test_columns_have_their_types_even_where_all_of_them_are_null(self, tmp_path: Path) -> None:
        import datasets

        file = write_lines(tmp_path / "v.jsonl", [v2("p", None, None)])
        (kept,) = keep_imports(import_arena_hard([file], ImportOptions()), tmp_path)
        write_dataset(tmp_path / "v", rows_of(load_run(kept.path)))
        features = datasets.load_from_disk(str(tmp_path / "v")).features
        assert features["outcome"].dtype == "float64"
        assert features["points"].dtype == "int64"
        assert features["label"].dtype == "string"

    def test_a_lone_surrogate_becomes_a_replacement_character(self, tmp_path: Path, run: StoredRun) -> None:
        import datasets

        games = (replace(run.games[0], replies=(Reply(text="a\ud800b"),), request_keys=("k",)), *run.games[1:])
        write_dataset(tmp_path / "v", list(verdict_rows(replace(run, games=games), None, replies=True)))
        assert datasets.load_from_disk(str(tmp_path / "v"))[0]["replies"] == ["a\ufffdb"]

    def test_a_data_set_is_replaced_whole_and_nothing_is_left_beside_it(self, tmp_path: Path, run: StoredRun) -> None:
        import datasets

        write_dataset(tmp_path / "v", rows_of(run))
        write_dataset(tmp_path / "v", rows_of(run)[:5])
        assert len(datasets.load_from_disk(str(tmp_path / "v"))) == 5
        assert [path.name for path in tmp_path.iterdir()] == ["v"]
