"""The index of the browser: small, and nothing in it is lost or mixed up."""

from __future__ import annotations

from pathlib import Path

import pytest
from many_runs import write_runs

from codearena_plugin.records import LABELS, ORDERS, STATUSES, Message
from codearena_plugin.report.page.index import ABSENT, ListedRun, distinct, index_of, prompt_ids_of
from codearena_plugin.runs.compare import stored_outcomes
from codearena_plugin.runs.files import StoredRun, load_run
from codearena_plugin.runs.strata import strata_of_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[StoredRun]:
    return [load_run(path) for path in write_runs(tmp_path_factory.mktemp("runs"), 3, 60)]


def listed(runs: list[StoredRun]) -> list[ListedRun]:
    return [ListedRun(run.model, "base", run) for run in runs]


def test_every_sign_says_what_the_run_says(runs: list[StoredRun]) -> None:
    ids = prompt_ids_of(runs)
    index = index_of(listed(runs), ids, {}, None)
    words = {1.0: "w", 0.5: "t", 0.0: "l", None: "u"}
    for run, row in zip(runs, index["rows"], strict=True):
        outcomes = {one.prompt_id: one for one in stored_outcomes(run)}
        assert row["outcome"] == "".join(words[outcomes[prompt_id].score] for prompt_id in ids)
        assert [None if sign == ABSENT else int(sign) - 4 for sign in row["points"]] == [
            outcomes[prompt_id].points for prompt_id in ids
        ]
        assert [{"y": True, "n": False, ABSENT: None}[sign] for sign in row["agree"]] == [
            outcomes[prompt_id].consistent for prompt_id in ids
        ]
        verdicts = {(game.prompt_id, game.order): game.verdict for game in run.games}
        for place, sign in enumerate(row["games"]):
            verdict = verdicts[ids[place // 2], ORDERS[place % 2]]
            said = LABELS[int(sign)] if sign.isdigit() else STATUSES[1:][ord(sign) - ord("a")]
            assert said == (verdict.label or verdict.status)
    assert {"u"} & {sign for row in index["rows"] for sign in row["outcome"]}, "some games failed, as they should"


def test_every_run_has_its_own_reason_for_a_missing_question(runs: list[StoredRun]) -> None:
    index = index_of(listed(runs), prompt_ids_of(runs), {}, None, ["gone", None, "gone"])
    assert (index["notes"], index["missing"]) == (["gone"], [0, None, 0])


def test_a_prompt_that_a_run_did_not_ask_is_absent_from_it(runs: list[StoredRun]) -> None:
    index = index_of(listed(runs[:1]), [*prompt_ids_of(runs), "more"], {}, None)
    row = index["rows"][0]
    assert (row["outcome"][-1], row["points"][-1], row["agree"][-1], row["games"][-2:]) == (
        ABSENT,
        ABSENT,
        ABSENT,
        "..",
    )


def test_strata_are_named_by_their_place_in_fixed_order(runs: list[StoredRun]) -> None:
    ids = prompt_ids_of(runs)
    strata = strata_of_run(runs[0])
    assert strata is not None
    kinds = {kind["kind"]: kind for kind in index_of(listed(runs), ids, {}, strata)["kinds"]}
    assert list(kinds) == ["class", "sub_class", "language", "difficulty", "natural_language"]
    assert kinds["difficulty"]["names"] == ["easy", "medium", "hard"]
    for kind, found in kinds.items():
        assert [[found["names"][place] for place in places] for places in found["of"]] == [strata[kind][i] for i in ids]


def test_forty_models_times_400_prompts_are_some_kilobytes(tmp_path: Path) -> None:
    run = load_run(write_runs(tmp_path, 1, 397)[0])
    row = index_of(listed([run]), prompt_ids_of([run]), {}, None)["rows"][0]
    assert sum(map(len, row.values())) == 5 * 397


def test_a_title_is_the_beginning_of_the_question_on_one_line(runs: list[StoredRun]) -> None:
    question = (Message("system", "be good"), Message("user", f"first\n\nline \x1b{'x' * 200}"))
    titles = index_of(listed(runs), ["q0000", "q0001"], {"q0000": question}, None)["titles"]
    assert titles[0].startswith("first line ␛xxx")
    assert len(titles[0]) == 140
    assert titles[1] == ""


def test_names_that_look_the_same_are_told_apart() -> None:
    names = ["a", "a ", "a\x00", "a\u2400", "", "__proto__", "\ud800", "a (2)"]
    shown = distinct(names)
    assert shown == ["a", "a (2)", "a␀", "a␀ (2)", "(empty)", "__proto__", "<U+D800>", "a (2) (2)"]
    assert len(set(shown)) == len(names)
