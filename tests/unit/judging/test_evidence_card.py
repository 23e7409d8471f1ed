"""A judge card that shows evidence: it must have places for it, and no other card may have any."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from judging_runs import a_suite, answers_to

from codearena_plugin.errors import ConfigError
from codearena_plugin.judging.plan import plan_games
from codearena_plugin.judging.protocol.card import JudgeCard, PromptTexts, load_card
from codearena_plugin.judging.protocol.evidence import PairEvidence, SideEvidence
from codearena_plugin.judging.protocol.texts import load_texts, prompt_sha256
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.paths import data_dir
from codearena_plugin.runs.judge import visible

URL = "http://127.0.0.1:9/v1"


def pair(i: int) -> PairEvidence:
    return PairEvidence(SideEvidence(f"baseline ran {i}", 0.5), SideEvidence(f"answer ran {i}", None))


def requests(card: str, tmp_path: Path, *, evidence: bool, n: int = 2) -> list[str]:
    suite = a_suite(n)
    shown = {prompt.id: pair(i) for i, prompt in enumerate(suite.prompts)} if evidence else None
    plans = plan_games(suite.prompts, suite.baseline, visible(answers_to(suite)), settings_of(card, tmp_path), shown)
    return [plan.request.messages[-1].content for plan in plans]


def settings_of(card: str, tmp_path: Path) -> JudgeSettings:
    options = {"judge": card, "judge_store": str(tmp_path / "s")}
    if card != "static":
        options |= {"judge_base_url": URL, "judge_model": "m"}
    return resolve_settings(options, environ={})


def copied(name: str, tmp_path: Path, **changes: str) -> Path:
    folder = tmp_path / name
    shutil.copytree(data_dir("judges") / name, folder)
    for file, text in changes.items():
        path = folder / file.replace("_", ".")
        path.write_text(text)
    return folder


def test_the_evidence_stands_beside_its_answer_in_both_orders(tmp_path: Path) -> None:
    first, second, *_ = requests("codearena-evidence", tmp_path, evidence=True)
    assert first.index("baseline 0 line 0") < first.index("baseline ran 0") < first.index("answer 0 line 0")
    assert first.index("answer 0 line 0") < first.index("answer ran 0")
    assert second.index("answer ran 0") < second.index("baseline 0 line 0") < second.index("baseline ran 0")


def test_a_card_that_needs_evidence_is_never_asked_without(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"2 of 2 prompts have no such evidence.*codearena execute ANSWERS"):
        requests("codearena-evidence", tmp_path, evidence=False)


@pytest.mark.parametrize("card", ["codearena"])
def test_a_card_that_shows_none_asks_the_same_with_and_without(card: str, tmp_path: Path) -> None:
    assert requests(card, tmp_path, evidence=True) == requests(card, tmp_path, evidence=False)


def test_a_judge_that_is_a_program_gets_shares_where_there_are_any(tmp_path: Path) -> None:
    without, shown = (json.loads(requests("static", tmp_path, evidence=e)[0]) for e in (False, True))
    assert list(without) == ["question", "answer_a", "answer_b", "languages"]
    assert {name: shown[name] for name in without} == without
    assert (shown["good_share_a"], shown["good_share_b"]) == (0.5, None)
    assert (shown["evidence_a"], shown["evidence_b"]) == ("baseline ran 0", "answer ran 0")


def test_the_prompts_of_the_cards_have_the_hashes_they_had() -> None:
    """Their runs compare, and their stored replies are found, because of these."""
    found = {name: prompt_sha256(*_loaded(name))[:16] for name in ("codearena", "codearena-evidence", "static")}
    assert found == {
        "codearena": "859f752c002ff252",
        "codearena-evidence": "384540f686269c6f",
        "static": "ed7860414d0f737f",
    }


def _loaded(name: str) -> tuple[JudgeCard, PromptTexts]:
    card, folder = load_card(name)
    return card, load_texts(card, folder)


def test_a_template_without_a_place_for_the_evidence_is_refused(tmp_path: Path) -> None:
    card, folder = load_card(
        str(copied("codearena-evidence", tmp_path, user_md="{{question}}{{answer_a}}{{answer_b}}"))
    )
    with pytest.raises(ConfigError, match=r"lacks '\{\{evidence_a\}\}'"):
        load_texts(card, folder)


def test_a_place_for_evidence_in_a_card_that_shows_none_is_refused(tmp_path: Path) -> None:
    template = "{{question}}{{answer_a}}{{answer_b}}{{evidence_b}}"
    card, folder = load_card(str(copied("codearena", tmp_path, user_md=template)))
    with pytest.raises(ConfigError, match="has a place for evidence, but the card shows none"):
        load_texts(card, folder)


def test_a_template_cannot_show_evidence_now_and_then(tmp_path: Path) -> None:
    folder = copied("codearena-evidence", tmp_path)
    card = folder / "judge.yaml"
    card.write_text(card.read_text().replace("evidence: needed", "evidence: used"))
    with pytest.raises(ConfigError, match="evidence 'used' goes with format 'json'"):
        load_card(str(folder))


def test_every_tag_of_the_template_is_a_delimiter() -> None:
    card, folder = load_card("codearena-evidence")
    texts = load_texts(card, folder)
    assert {mark for mark in card.prompt.delimiters if mark in texts.user} == set(card.prompt.delimiters)
    assert texts.user.count("<") == len(card.prompt.delimiters)
