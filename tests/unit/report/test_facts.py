from __future__ import annotations

from typing import Any

import pytest

from codearena_plugin.report import facts
from codearena_plugin.runs.caveats import DEMO_MARK

SPENT = {
    "http_requests": 8, "replies": 8, "stored_games": 0, "prompt_tokens": 1234, "completion_tokens": 567,
    "cost_usd": None, "wall_s": 2.5, "lowest_concurrency": 32,
}  # fmt: skip


def _manifest(
    *, backend: str = "openai", notice: str = "", demo: bool = False, **answers: int | None
) -> dict[str, Any]:
    counted = {"n": 4, "empty": 0, "cut_at_token_limit": 0, "reasoning_stripped": 0}
    return {
        "model": "m",
        "suite": {
            "name": "s", "version": "1-A", "n_prompts": 4, "source": "f", "baseline": "b", "is_demo": demo,
            "left_out": [],
        },
        "judge": {
            "card": "c@1-A", "model": "j", "order": "both", "mode": "default", "notice": notice, "backend": backend,
        },
        "answers": {**counted, **answers},
    }  # fmt: skip


def _calls(spending: dict[str, Any] | None, **manifest: Any) -> str:
    extra = {key: manifest.pop(key) for key in ("rescored",) if key in manifest}
    return facts.spending({"spending": spending, "manifest": _manifest(**manifest) | extra})[0][1]


def test_whether_calls_were_made_is_what_the_back_end_said_and_not_its_name() -> None:
    assert _calls({**SPENT, "is_remote": False}, backend="a-plugin-s") == "none, back end a-plugin-s; 2.5 s"
    assert _calls({**SPENT, "is_remote": True}, backend="static").startswith("8 sent, 8 replies")
    assert _calls(SPENT, backend="openai").startswith("8 sent, 8 replies"), "results that lack it are older"


def test_where_lm_eval_is_the_judge_its_calls_are_its_own() -> None:
    assert _calls(None, backend="lm-eval") == "made by lm-eval itself"
    assert _calls(None, backend="lm-eval", rescored={"at": "now"}) == "none, stored replies were read again"
    assert _calls(None, backend="openai") == "none, stored replies were read again"


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        ({"empty": 1, "cut_at_token_limit": 2}, "1 empty; 2 cut at the model's token limit (of 4)"),
        ({"cut_at_token_limit": None}, "cut at the model's token limit: unknown (of 4)"),
        ({"empty": 1, "cut_at_token_limit": None}, "1 empty; cut at the model's token limit: unknown (of 4)"),
        (
            {"reasoning_stripped": None},
            "with a reasoning trace, which the judge does not see: unknown (of 4)",
        ),
    ],
)
def test_a_count_that_nobody_knows_is_said_to_be_unknown(counted: dict[str, int | None], said: str) -> None:
    assert dict(facts.headline(_manifest(**counted)))["answers"] == said


def test_nothing_odd_is_nothing_said() -> None:
    assert "answers" not in dict(facts.headline(_manifest()))


def test_the_caveats_are_the_demo_mark_and_the_judge_s_notice() -> None:
    assert facts.caveats(_manifest()) == []
    assert facts.caveats(_manifest(demo=True, notice="static")) == [("notice", DEMO_MARK), ("notice", "static")]
    assert set(facts.caveats(_manifest(demo=True, notice="static"))) <= set(
        facts.headline(_manifest(demo=True, notice="static"))
    )
