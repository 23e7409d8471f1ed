from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.records import Answer, Game, Reply, Verdict
from codearena_plugin.runs.compare import check_comparable, compare_runs, distinct_names, stored_outcomes
from codearena_plugin.runs.files import StoredRun

MANIFEST = {
    "suite": {"name": "s", "n_prompts": 4, "baseline": "b", "fingerprint": "f" * 64},
    "judge": {
        "card": "c@1-A",
        "comparable_as": "c@1",
        "prompt_sha256": "0" * 64,
        "model": "j",
        "order": "baseline_first",
        "mode": "default",
        "sampling": {},
        "attempts": 2,
    },
}


def _run(model: str, labels: str, path: str = "") -> StoredRun:
    """A run whose prompts were won (w), lost (l), drawn (t) or failed (-)."""
    verdicts = {
        "w": Verdict("scored", "B>A"),
        "l": Verdict("scored", "A>B"),
        "t": Verdict("scored", "A=B"),
        "-": Verdict("refused"),
    }
    games = tuple(
        Game(f"p{i}", "baseline_first", ("k",), (Reply("x"),), verdicts[label]) for i, label in enumerate(labels)
    )
    answers = tuple(Answer(f"p{i}", model, "text") for i in range(len(labels)))
    result = {"manifest": {**MANIFEST, "model": model}, "withheld": None}
    return StoredRun(Path("/runs", path or model), result, games, answers)


def test_the_difference_is_over_the_prompts_scored_in_both():
    _, (pair,) = compare_runs([_run("a", "www-t"), _run("b", "wll-l")])
    assert pair.found.n_common == 4
    assert pair.found.difference.estimate == pytest.approx((0 + 1 + 1 + 0.5) / 4)


def test_p_values_of_several_pairs_are_corrected_by_holm_and_a_single_one_is_not():
    _, (pair,) = compare_runs([_run("a", "wwwwwwwt"), _run("b", "llltllll")])
    assert pair.p_holm == pair.found.p_value
    _, pairs = compare_runs([_run("a", "wwwwwwwt"), _run("b", "llltllll"), _run("c", "tttttttt")])
    smallest = min(pairs, key=lambda pair: pair.found.p_value)
    assert smallest.p_holm == pytest.approx(3 * smallest.found.p_value)


def test_every_prompt_has_an_outcome_in_the_order_of_the_run():
    outcomes = stored_outcomes(_run("a", "wl-t"))
    assert [(item.prompt_id, item.score) for item in outcomes] == [("p0", 1.0), ("p1", 0.0), ("p2", None), ("p3", 0.5)]


def test_runs_without_a_common_scored_prompt_are_a_data_error():
    with pytest.raises(DataError, match="No prompt is scored in both"):
        compare_runs([_run("a", "w-"), _run("b", "-w")])


def test_names_are_distinct_whatever_the_models_are_called():
    runs = [_run("a", "w", "x"), _run("a", "w", "y"), _run("b", "w", "z"), _run("b", "w", "deep/z")]
    assert list(distinct_names(runs)) == ["a [x]", "a [y]", "b [/runs/z]", "b [/runs/deep/z]"]


def test_other_fingerprints_are_refused():
    other = _run("b", "w")
    manifest = {**other.result["manifest"], "suite": {**MANIFEST["suite"], "fingerprint": "e" * 64}}
    with pytest.raises(DataError, match="fingerprint ffffffffffff' and 's with b, 4 prompts, fingerprint eeeeeeeeeeee"):
        check_comparable([_run("a", "w"), replace(other, result={**other.result, "manifest": manifest})])


def test_one_run_is_no_comparison():
    with pytest.raises(ConfigError, match="two or more"):
        compare_runs([_run("a", "w")])
