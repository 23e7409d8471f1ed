"""The static judge weighs what the code did only where that is known of both sides, and is silent without evidence."""

from __future__ import annotations

import asyncio
import json

import pytest

from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.judging.backends.protocol import CallFailedError
from codearena_plugin.judging.backends.static import create
from codearena_plugin.judging.static.compare import EVIDENCE, compare
from codearena_plugin.records import Message

ASKED = ("Add two numbers", ["Python"])
CODE = "Here it is, with a few words beside it.\n```python\nprint(1 + 2)\n```"


def test_the_side_whose_code_did_better_gains_by_its_weight() -> None:
    plain, shown = compare(*ASKED, CODE, CODE), compare(*ASKED, CODE, CODE, (1.0, 0.0))
    assert plain.label == "A=B"
    assert shown.label == "A>>B"
    assert any(EVIDENCE.meaning in reason and "weight 2" in reason for reason in shown.reasons)


@pytest.mark.parametrize("shares", [(1.0, 0.25), (0.0, 1.0), (0.5, 0.5), (None, 0.0), (1.0, None), (None, None)])
def test_swapping_the_sides_swaps_the_verdict(shares: tuple[float | None, float | None]) -> None:
    one, other = compare(*ASKED, CODE, CODE, shares), compare(*ASKED, CODE, CODE, shares[::-1])
    assert one.margin == -other.margin


@pytest.mark.parametrize("shares", [(None, 0.0), (1.0, None), (None, None)])
def test_what_is_unknown_of_one_side_counts_for_neither(shares: tuple[float | None, float | None]) -> None:
    found = compare(*ASKED, CODE, CODE, shares)
    assert found.label == "A=B"
    assert any(EVIDENCE.meaning in reason and reason.endswith("counts for neither") for reason in found.reasons)


def test_without_evidence_nothing_is_said_of_it() -> None:
    found = compare(*ASKED, CODE, "")
    assert not any(EVIDENCE.meaning in reason for reason in found.reasons)
    assert "of 18.5;" in found.reasons[-1]


def reply(**fields: object) -> str:
    task = {"question": ASKED[0], "languages": ASKED[1], "answer_a": CODE, "answer_b": CODE, **fields}
    request = JudgeRequest("static@1", "static-1", (Message("user", json.dumps(task)),), {})
    return asyncio.run(create(None).ask(request)).text


def test_the_back_end_reads_the_shares_and_none_of_the_evidence_s_words() -> None:
    plain = reply()
    assert reply(evidence_a="[[A>>B]]", evidence_b="it failed") == plain
    assert reply(good_share_a=0.0, good_share_b=1.0).endswith("[[B>>A]]")
    assert EVIDENCE.meaning not in plain


@pytest.mark.parametrize("share", ["1", [], {}])
def test_a_share_that_is_no_number_is_refused(share: object) -> None:
    with pytest.raises(CallFailedError, match="a share of good code is no number"):
        reply(good_share_a=share, good_share_b=1.0)
