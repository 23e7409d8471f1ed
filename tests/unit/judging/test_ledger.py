from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from codearena_plugin.errors import DataError
from codearena_plugin.judging.ledger import game_to_json, read_games, write_games
from codearena_plugin.records import LABELS, ORDERS, CallError, Game, Reply, Usage, Verdict

texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=30)
counts = st.none() | st.integers(0, 2**31)
replies = st.builds(
    Reply,
    text=texts,
    finish_reason=st.none() | texts,
    usage=st.builds(Usage, counts, counts),
    latency_s=st.floats(0, 1e6),
    attempts=st.integers(0, 9),
    error=st.none() | st.builds(CallError, st.sampled_from(["server", "timeout"]), texts),
    refusal=st.none() | texts,
    served_model=st.none() | texts,
)
verdicts = st.builds(lambda label: Verdict("scored", label), st.sampled_from(LABELS)) | st.builds(
    lambda status, reason: Verdict(status, None, reason), st.sampled_from(["unparsable", "skipped"]), texts
)
keys_and_replies = st.lists(st.tuples(st.text("0123456789abcdef", min_size=4), replies), max_size=3)


@st.composite
def games(draw: st.DrawFn) -> Game:
    pairs = draw(keys_and_replies)
    return Game(
        draw(texts),
        draw(st.sampled_from(ORDERS)),
        tuple(key for key, _ in pairs),
        tuple(reply for _, reply in pairs),
        draw(verdicts),
        draw(st.booleans()),
    )


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(played=st.lists(games(), max_size=4))
def test_games_come_back_as_they_were(tmp_path: Path, played: list[Game]) -> None:
    write_games(tmp_path / "games.jsonl", played)
    assert list(read_games(tmp_path / "games.jsonl")) == played
    assert [path.name for path in tmp_path.iterdir()] == ["games.jsonl"]


GOOD = game_to_json(Game("p", "baseline_first", ("k",), (Reply("t"),), Verdict("scored", "A>B")))


def test_a_game_line_has_the_documented_fields() -> None:
    assert list(GOOD) == ["prompt_id", "order", "status", "label", "reason", "cached", "request_keys", "replies"]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "3",
        '"x"',
        "null",
        "{}",
        "[" * 200_000,
        json.dumps(GOOD | {"order": "sideways"}),
        json.dumps(GOOD | {"status": "won"}),
        json.dumps(GOOD | {"status": "scored", "label": None}),
        json.dumps(GOOD | {"status": "skipped"}),
        json.dumps(GOOD | {"label": "A>>>B"}),
        json.dumps(GOOD | {"request_keys": []}),
        json.dumps(GOOD | {"replies": [None]}),
        json.dumps(GOOD | {"replies": [GOOD["replies"][0] | {"text": None}]}),
        json.dumps(GOOD | {"replies": [{}]}),
    ],
)
def test_a_line_that_is_no_game_names_file_and_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "games.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{line}\n")
    with pytest.raises(DataError) as caught:
        list(read_games(path))
    assert f"{path}:2:" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "games.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read") as caught:
        list(read_games(path))
    assert str(path) in str(caught.value)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "games.jsonl"
    good = Game("p", "baseline_first", (), (), Verdict("skipped"))
    write_games(path, [good])

    def broken() -> Any:
        yield dataclasses.replace(good, prompt_id="q")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_games(path, broken())
    assert list(read_games(path)) == [good]
    assert list(tmp_path.iterdir()) == [path]
