"""The rows on disk: whole or not there, found by the text that they were made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evidence_runs import a_block, a_row

from codearena_plugin.errors import DataError
from codearena_plugin.evidence import record
from codearena_plugin.evidence.files import Appender, evidence_path, read_evidence, write_evidence


def test_rows_come_back_as_they_went(tmp_path: Path) -> None:
    rows = [a_row(a_block(reached="ran", excerpt="1\n\ud800"), text="a"), a_row(side="baseline", text="b", left_out=3)]
    rows.append(a_row(text="c", tools={"C": "gcc 12"}))
    write_evidence(tmp_path / "evidence.jsonl", rows)
    assert list(read_evidence(tmp_path / "evidence.jsonl").values()) == rows


def test_half_a_line_is_dropped_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    with Appender(path) as appender:
        appender.add(a_row(text="a"))
        appender.add(a_row(text="b"))
    path.write_bytes(path.read_bytes()[:-20])
    assert len(read_evidence(path)) == 1
    with Appender(path) as appender:
        appender.add(a_row(text="c"))
    assert len(read_evidence(path)) == 2
    assert all(json.loads(line) for line in path.read_text().splitlines())


@pytest.mark.parametrize("line", ["{}", "[]", "nothing", '{"schema": "codearena-evidence/2"}'])
def test_a_whole_line_that_is_no_row_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"evidence\.jsonl:1: not a line of codearena-evidence/1"):
        read_evidence(path)


@pytest.mark.parametrize("field", [("side", "judge"), ("blocks", [{"kind": "x"}]), ("blocks", 3)])
def test_a_value_that_cannot_be_is_refused(tmp_path: Path, field: tuple[str, object]) -> None:
    path = tmp_path / "evidence.jsonl"
    row = record.row_to_json(a_row(a_block()))
    path.write_text(json.dumps({**row, field[0]: field[1]}) + "\n")
    with pytest.raises(DataError, match="not a line"):
        read_evidence(path)


def test_rows_of_other_rules_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "evidence.jsonl"
    write_evidence(path, [a_row()])
    monkeypatch.setattr(record, "RULES", record.RULES + 1)
    assert read_evidence(path) == {}


def test_evidence_lies_beside_what_is_named(tmp_path: Path) -> None:
    assert evidence_path(tmp_path) == tmp_path / "evidence.jsonl"
    assert evidence_path(tmp_path / "answers.jsonl") == tmp_path / "evidence.jsonl"
    assert evidence_path(tmp_path / "my-evidence.jsonl") == tmp_path / "my-evidence.jsonl"


def test_a_directory_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="Evidence cannot be written to"):
        Appender(tmp_path / "file" / "evidence.jsonl")


def test_values_of_other_types_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    row = record.row_to_json(a_row(a_block()))
    block = row["blocks"][0]
    rows = [
        {**row, "prompt_id": ["p"]},
        {**row, "tools": {"C": 12}},
        {**row, "tools": ["C"]},
        {**row, "blocks": [{**block, "excerpt": 5}]},
    ]
    for bad in (*rows, {**row, "blocks": [{**block, "n_lines": "5"}]}):
        path.write_text(json.dumps(bad) + "\n")
        with pytest.raises(DataError, match="not a line"):
            read_evidence(path)


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    with Appender(path) as first:
        with pytest.raises(DataError, match="Another process writes to"):
            Appender(path)
        first.add(a_row())
    with Appender(path) as second:
        second.add(a_row(text="b"))
    assert len(read_evidence(path)) == 2
