"""The judge on answers that it was not written for: 266 of Arena-Hard's, and the mini suite's two sets."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from codearena_plugin.judging.static.compare import Comparison, compare

ROOT = Path(__file__).parents[4]
ARENA_HARD = ROOT.parent / "shared" / "data" / "arena_hard_code"
MINI = ROOT / "tasks" / "codearena_mini" / "data"


def rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        pytest.skip(f"{path} is not here")
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in data.decode("utf-8").split("\n") if line.strip()]


def against_baseline(prompts: Path, answers: Path, baseline: str) -> list[Comparison]:
    texts = {row["id"]: row["response"] for row in rows(answers)}
    return [
        compare(
            "\n".join(message["content"] for message in row["messages"]),
            row["programming_language"],
            texts[row["id"]],
            row[f"{baseline}_response"],
        )
        for row in rows(prompts)
    ]


@pytest.mark.parametrize("model", ["gpt-3.5-turbo-0125", "gpt-4-0613"])
def test_266_real_answers_are_judged_in_seconds_and_not_all_alike(model: str) -> None:
    started = time.process_time()
    found = against_baseline(ARENA_HARD / "prompts.jsonl.gz", ARENA_HARD / f"answers_{model}.jsonl.gz", "gpt-4-0314")
    seconds = time.process_time() - started
    labels = Counter(comparison.label for comparison in found)
    print(f"{model}: {dict(labels)} in {seconds:.2f} s")
    assert len(found) == 266
    assert len(labels) >= 4
    assert labels["A=B"] < 0.8 * len(found)
    assert seconds < 20


def test_the_careful_set_of_the_mini_suite_stands_above_the_hasty_one() -> None:
    careful, hasty = (
        against_baseline(MINI / "prompts.jsonl", MINI / f"answers_{name}.jsonl", "mini-baseline")
        for name in ("careful", "hasty")
    )
    won = {"A>>B": 1.0, "A>B": 1.0, "A=B": 0.5, "B>A": 0.0, "B>>A": 0.0}
    scores = [sum(won[comparison.label] for comparison in found) / len(found) for found in (careful, hasty)]
    print(f"careful {scores[0]:.2f}, hasty {scores[1]:.2f}")
    assert scores[0] > 0.5 > scores[1]
