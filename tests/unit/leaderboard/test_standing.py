"""Ranks, scores and differences from one table or from a fit: do they agree, and do they cover the truth?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.special import expit

from codearena_plugin.errors import DataError
from codearena_plugin.leaderboard.record import Pair, Place
from codearena_plugin.leaderboard.rows import Row
from codearena_plugin.leaderboard.several import standing_by_fit
from codearena_plugin.leaderboard.standing import Standing, standing_of
from codearena_plugin.records import Outcome
from codearena_plugin.scoring.resample import bootstrap_weights

LETTERS = {"w": 1.0, "t": 0.5, "l": 0.0, "-": None}


def standing(**runs: str) -> Standing:
    """Return the standing of models by their outcomes, such as ``a="wtl-"``."""
    ids = [f"p{i}" for i in range(max(map(len, runs.values())))]
    outcomes = {
        name: [Outcome(key, LETTERS[end], None, None) for key, end in zip(ids, ends, strict=True)]
        for name, ends in runs.items()
    }
    return standing_of(outcomes, ids, bootstrap_weights(len(ids), 300, 0))


def fitted(rows: Sequence[Row], names: Sequence[str], *, n_prompts: int, n_bootstraps: int = 100) -> Standing:
    return standing_by_fit(rows, names, bootstrap_weights(n_prompts, n_bootstraps, 0))[0]


def met(model: int, opponent: int, ends: str) -> list[Row]:
    """Return the comparisons of a model with an opponent, such as ``"wtl-"``, on the first prompts."""
    points = [LETTERS[end] for end in ends]
    return [Row(model, opponent, i, score) for i, score in enumerate(points) if score is not None]


def leaves_out_0(pair: Pair) -> bool:
    return pair.difference.low > 0 or pair.difference.high < 0


def test_one_prompt_ranks_nobody_for_certain() -> None:
    found = standing(a="w", b="l")
    assert found.places == {"a": Place(1, 1, 2), "b": Place(2, 1, 2)}
    assert found.pairs[0].p_value == 1.0


def test_ranks_and_differences_agree_where_prompts_are_missing() -> None:
    """The first won its 12 of 20 prompts, where the second won too: no difference, and no certain rank."""
    found = standing(a="w" * 12 + "-" * 8, b="w" * 12 + "l" * 8)
    assert [found.scores[name].estimate for name in "ab"] == [1.0, 0.6]
    assert (found.pairs[0].difference.estimate, found.pairs[0].p_value) == (0.0, 1.0)
    assert found.places == {"a": Place(1, 1, 2), "b": Place(2, 1, 2)}


def test_models_without_a_common_prompt_are_refused_by_name() -> None:
    with pytest.raises(DataError, match="'a' and 'b' cannot be compared: No prompt is scored in both"):
        standing(a="ww--", b="--ww")


def test_a_baseline_that_only_one_model_met_is_as_uncertain_as_its_link() -> None:
    """k ties with x throughout and links y to it: neither stands for certain where it seems to."""
    found = fitted([*met(0, -1, "t" * 20), *met(0, 1, "wl" * 10)], ["k", "y"], n_prompts=20)
    k, y = found.scores["k"], found.scores["y"]
    assert (k.low, k.high) == pytest.approx((0.397, 0.603), abs=5e-4)
    assert y.high - y.low > k.high - k.low
    assert found.places == {"k": Place(1, 1, 2), "y": Place(1, 1, 2)}


def test_models_that_never_met_the_others_are_named() -> None:
    rows = [*met(0, -1, "wl"), *met(1, 2, "wwl"), *met(3, 2, "wlw")]
    with pytest.raises(DataError, match="org/b, y, c never met the reference, not even through others"):
        fitted(rows, ["a", "org/b", "y", "c"], n_prompts=3)


def test_a_fit_and_a_table_of_means_rank_alike_against_one_baseline() -> None:
    runs = {"a": "wwwwl" * 8, "b": "wwlwl" * 8, "c": "lllwl" * 8, "d": "llllw" * 8}
    by_mean = standing(**runs)
    by_fit = fitted([row for m, ends in enumerate(runs.values()) for row in met(m, -1, ends)], "abcd", n_prompts=40)
    assert by_fit.places == by_mean.places
    assert [(pair.a, pair.b, pair.p_value < 0.05) for pair in by_fit.pairs] == [
        (pair.a, pair.b, pair.p_value < 0.05) for pair in by_mean.pairs
    ]
    for name in runs:
        assert by_fit.scores[name].estimate == pytest.approx(by_mean.scores[name].estimate)


def test_a_difference_to_a_model_that_lost_everything_is_skewed_and_stays_within_its_bounds() -> None:
    rows = [*met(0, -1, "w" * 12), *met(1, -1, "l" * 12), *met(1, 2, "wl" * 6)]
    for pair in fitted(rows, ["top", "low", "y"], n_prompts=12).pairs:
        found = pair.difference
        assert -1 <= found.low < found.estimate < found.high <= 1
        if (pair.a, pair.b) == ("top", "low"):
            assert found.high - found.estimate < (found.estimate - found.low) / 3


LINKS = ((0, -1), (0, 2), (1, -1), (1, 2))  # two models, each against the reference and against a second baseline


@pytest.mark.parametrize(
    ("n_prompts", "strengths"),
    [(28, (3.0, 3.0, 0.0)), (28, (0.5, 0.5, 0.2)), (60, (2.0, -1.0, 0.5))],
    ids=["two near the end", "close", "far apart"],
)
def test_nominal_95_percent_intervals_of_several_baselines_cover_92_percent_and_agree_with_their_tests(
    n_prompts: int, strengths: tuple[float, ...]
) -> None:
    """Symmetric intervals of differences covered 85 to 91 % near the end; three standard errors of 500 are 3 %."""
    truth = dict(zip("abc", expit(strengths), strict=True))
    against = np.array([*strengths, 0.0])
    rng = np.random.default_rng(20241206)
    n_boards = 500
    hits: dict[str, int] = {}
    for _ in range(n_boards):
        rows = [
            Row(m, other, i, float(won))
            for m, other in LINKS
            for i, won in enumerate(rng.random(n_prompts) < expit(against[m] - against[other]))
        ]
        found = fitted(rows, "abc", n_prompts=n_prompts, n_bootstraps=20)
        for name, score in found.scores.items():
            hits[name] = hits.get(name, 0) + (score.low <= truth[name] <= score.high)
        for pair in found.pairs:
            key = "".join(sorted((pair.a, pair.b)))
            hits[key] = hits.get(key, 0) + (
                pair.difference.low <= truth[pair.a] - truth[pair.b] <= pair.difference.high
            )
            assert leaves_out_0(pair) == (pair.p_value < 0.05)
            if found.places[pair.a].high < found.places[pair.b].low:
                assert pair.p_value < 0.05
    print({name: n / n_boards for name, n in hits.items()})
    assert min(hits.values()) / n_boards >= 0.92


def test_nominal_95_percent_rank_sets_of_several_baselines_hold_the_worst_models_rank() -> None:
    strengths = np.array([1.2, 0.9, 0.9, -0.3, 0.3, 0.0])  # four models, a second baseline and the reference
    truth = 1 + (strengths[:-1] > strengths[:-1, None]).sum(axis=1)
    rng = np.random.default_rng(20241206)
    held, widths, n_boards = np.zeros(5), [], 200
    for _ in range(n_boards):
        rows = [
            Row(m, other, i, float(won))
            for m in range(4)
            for other in (-1, 4)
            for i, won in enumerate(rng.random(100) < expit(strengths[m] - strengths[other]))
        ]
        places = fitted(rows, "abcde", n_prompts=100, n_bootstraps=200).places
        held += [place.low <= rank <= place.high for place, rank in zip(places.values(), truth, strict=True)]
        widths.append(np.mean([place.high - place.low + 1 for place in places.values()]))
    print(held / n_boards, np.mean(widths))
    assert held.min() / n_boards >= 0.93
    assert np.mean(widths) < 3.5, "of 5: the sets say something"
