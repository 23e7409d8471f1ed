from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from foreign_verdicts import BASELINE, said, v01, v2, write_lines

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.interchange.arena_hard import import_arena_hard
from codearena_plugin.interchange.imports import Import
from codearena_plugin.interchange.reading import ImportOptions
from codearena_plugin.scoring.points import game_points

NOTHING = ImportOptions()


def imported(tmp_path: Path, *rows: dict[str, Any], options: ImportOptions = NOTHING) -> list[Import]:
    return import_arena_hard([write_lines(tmp_path / "verdicts.jsonl", rows)], options)


def verdicts(found: Import) -> list[tuple[str, str, str, str | None]]:
    return [(game.prompt_id, game.order, game.verdict.status, game.verdict.label) for game in found.games]


def test_in_the_first_game_the_baseline_is_a_and_in_the_second_the_model(tmp_path: Path) -> None:
    (found,) = imported(tmp_path, v2("p1", "B>>A", "A>B"))
    assert verdicts(found) == [
        ("p1", "baseline_first", "scored", "B>>A"),
        ("p1", "answer_first", "scored", "A>B"),
    ]
    assert (found.model, found.suite.baseline, found.judge["model"]) == ("m", BASELINE, "gpt-4.1")
    assert sum(game_points(game.verdict.label, game.order) for game in found.games if game.verdict.label) == 3


def test_version_0_1_is_known_by_its_question_id_and_needs_to_be_told_the_baseline(tmp_path: Path) -> None:
    text = {"user_prompt": "…", "judgment": "\nMine first.\n\nMy final verdict is: [[B>A]]", "score": "B>A"}
    row = v01("93c9", text, "A=B")
    with pytest.raises(DataError, match=r"verdicts\.jsonl:1: the line does not name its baseline.*--baseline NAME"):
        imported(tmp_path, row)
    (found,) = imported(tmp_path, row, options=ImportOptions(baseline="gpt-4-0314"))
    assert found.suite.baseline == "gpt-4-0314"
    assert found.format == "arena-hard-auto v0.1"
    assert found.stated == {"baseline": "gpt-4-0314"}
    assert found.games[0].replies[0].text == text["judgment"]
    assert found.games[1].replies == ()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        *((label, label) for label in ("A>>B", "A>B", "A=B", "B>A", "B>>A")),
        *(("A<<B", "B>>A"), ("A<B", "B>A"), ("B=A", "A=B"), ("B<A", "A>B"), ("B<<A", "A>>B"), ("A>B\n", "A>B")),
    ],
)
def test_all_ten_labels_of_theirs_mean_one_of_our_five(tmp_path: Path, theirs: str, ours: str) -> None:
    (found,) = imported(tmp_path, v2("p", theirs, theirs))
    assert [game.verdict.label for game in found.games] == [ours, ours]


@pytest.mark.parametrize(
    ("game", "status", "reason"),
    [
        (None, "transport-error", "missing: the line has no such game"),
        ({"score": None}, "transport-error", "missing: neither score nor judgment"),
        ({"score": None, "judgment": None}, "transport-error", "missing"),
        (said(None, None), "transport-error", "missing"),
        (said("Both are fine.", None), "unparsable", "no label"),
        (said("", None), "unparsable", "empty reply"),
        (said("I'm sorry, I cannot compare them.", None), "refused", "declined"),
        (said("So [[A>B]] or [[B>A]]", None), "conflicting", "names"),
        (said("My verdict: [[A>B]]", None), "unparsable", "no verdict, though the reply names A>B"),
    ],
)
def test_what_has_no_score_is_counted_and_never_scored(tmp_path: Path, game: Any, status: str, reason: str) -> None:
    (found,) = imported(tmp_path, v2("p", "A>B", game))
    first, second = found.games
    assert first.verdict.label == "A>B"
    assert second.verdict.status == status
    assert second.verdict.label is None
    assert reason in second.verdict.reason


def test_a_line_with_one_game_lacks_the_other(tmp_path: Path) -> None:
    (found,) = imported(tmp_path, v2("p", "A>B"), v2("q"))
    assert [game.verdict.status for game in found.games] == ["scored", *["transport-error"] * 3]


def test_the_score_of_the_file_is_of_record_and_what_we_read_otherwise_is_counted(tmp_path: Path) -> None:
    (found,) = imported(
        tmp_path,
        v2("p", said("My verdict: [[A>B]]", "A>B"), said("My verdict: [[A>B]]", "B>A")),
        v2("q", said("[[A>>B]], because:\n- it runs\n- it is short", "A>>B"), said("[[A=B]]", None)),
        v2("r", "A=B", said("no label", None)),
    )
    assert [game.verdict.label for game in found.games] == ["A>B", "B>A", "A>>B", None, "A=B", None]
    assert found.agreement.counts == {"agrees": 2, "other_label": 1, "only_the_file": 1, "only_ours": 1}
    assert found.agreement.disagreements == 3


def test_a_thought_beside_the_judgment_is_not_the_reply(tmp_path: Path) -> None:
    game = {"score": "A>B", "judgment": {"thought": "[[B>>A]]?", "answer": "[[A>B]]"}}
    (found,) = imported(tmp_path, v2("p", game, game))
    assert [reply.text for each in found.games for reply in each.replies] == ["[[A>B]]"] * 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"games": [{"score": "A>>>B"}]}, r"'score': got 'A>>>B'.*one of A>>B"),
        ({"games": [{"score": 7}]}, r"'score': got 7"),
        ({"games": [{"score": ["A>B"]}]}, r"'score'"),
        ({"games": ["A>B"]}, r"'games': got 'A>B'"),
        ({"games": {"score": "A>B"}}, r"'games'"),
        ({"games": None}, r"'games'"),
        ({"games": [None, None, None]}, r"'games': .*list of two games"),
        ({"games": [{"score": None, "judgment": ["text"]}]}, r"'judgment': got \['text'\]"),
        ({"games": [{"score": None, "judgment": {"answer": 1}}]}, r"'judgment'"),
        ({"uid": True}, r"'uid': got True"),
        ({"uid": None}, r"'uid'"),
        ({"uid": " "}, r"'uid'"),
        ({"uid": 1.5}, r"'uid'"),
        ({"model": ["m"]}, r"'model'"),
        ({"judge": {"name": "x"}}, r"'judge'"),
        ({"baseline": 1}, r"'baseline'"),
        ({"category": 3}, r"'category'"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_with_its_field(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    rows = [v2("p0", "A>B", "A>B"), {**v2("p1", "A>B", "A>B"), **change}]
    with pytest.raises(DataError, match=rf"verdicts\.jsonl:2: field {said}"):
        imported(tmp_path, *rows)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"uid": "\xff"}', "not UTF-8"),
        (b'{"uid": "a\x00b"}', "not JSON"),
        (b"\x00\x00\x00", "not JSON"),
        (b'{"uid": "p1", "games"', "not JSON"),
        (b"[1, 2]", "got list"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": "p1", "response": "an answer"}', "'games'"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, said: str) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_bytes(json.dumps(v2("p0", "A>B", "A>B")).encode() + b"\n" + line + b"\n")
    with pytest.raises(DataError, match=rf"broken\.jsonl:2: .*{said}"):
        import_arena_hard([file], NOTHING)


def test_a_prompt_that_was_judged_twice_names_both_lines(tmp_path: Path) -> None:
    rows = [v2(uid, "A>B", "A>B") for uid in ("p0", "p1", "p0")]
    with pytest.raises(DataError, match=r"verdicts\.jsonl:3: 'm' was judged on 'p0' before, in .*verdicts\.jsonl:1"):
        imported(tmp_path, *rows)


def test_an_option_may_not_contradict_a_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"the baseline is '{BASELINE}', and --baseline says 'gpt-4'"):
        imported(tmp_path, v2("p", "A>B", "A>B"), options=ImportOptions(baseline="gpt-4"))
    with pytest.raises(DataError, match=r"the judge is 'gpt-4\.1', and --judge-model says 'me'"):
        imported(tmp_path, v2("p", "A>B", "A>B"), options=ImportOptions(judge_model="me"))


def test_judge_and_model_are_known_by_the_path_where_lines_do_not_name_them(tmp_path: Path) -> None:
    row = {key: value for key, value in v2("p", "A>B", "B>A").items() if key not in {"judge", "model"}}
    write_lines(tmp_path / "data" / "bench" / "model_judgment" / "gemini-2.5" / "qwq-32b.jsonl", [row])
    (found,) = import_arena_hard([tmp_path / "data"], NOTHING)
    assert (found.model, found.judge["model"]) == ("qwq-32b", "gemini-2.5")
    loose = write_lines(tmp_path / "loose" / "qwq-32b.jsonl", [row])
    with pytest.raises(DataError, match=r"does not name its judge.*--judge-model NAME"):
        import_arena_hard([loose], NOTHING)


def test_of_a_benchmarks_folder_only_the_judgments_are_read(tmp_path: Path) -> None:
    write_lines(tmp_path / "model_answer" / "m.jsonl", [{"uid": "p", "model": "m", "messages": []}])
    write_lines(tmp_path / "model_judgment" / "gpt-4.1" / "m.jsonl", [v2("p", "A>B", "B>A")])
    packed = tmp_path / "model_judgment" / "gpt-4.1" / "n.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(v2("p", "A=B", "A=B", model="n")).encode()))
    found = import_arena_hard([tmp_path], NOTHING)
    assert [one.model for one in found] == ["m", "n"]
    assert found[1].files[0].path == packed


@pytest.mark.parametrize("name", ["absent", "empty", "empty.jsonl"])
def test_a_path_without_verdicts_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(DataError, match=name):
        import_arena_hard([tmp_path / name], NOTHING)


def test_a_model_that_lacks_prompts_of_its_family_has_them_unscored(tmp_path: Path) -> None:
    whole, part = imported(
        tmp_path, *(v2(f"p{n}", "A>B", "A>B", model="whole") for n in range(4)), v2("p1", "A>B", "A>B", model="part")
    )
    assert whole.suite.fingerprint == part.suite.fingerprint
    assert len(part.games) == 8
    assert [game.verdict.status for game in part.games].count("scored") == 2
    assert part.games[0].verdict.reason == "missing: no line for this prompt in the import"
    assert part.n_rows == 1


def test_the_order_of_the_lines_says_nothing(tmp_path: Path) -> None:
    rows = [v2(uid, "A>B", "A>B") for uid in ("10", "9", "11")]
    (one,) = imported(tmp_path, *rows)
    (other,) = imported(tmp_path, *reversed(rows))
    assert one.suite.fingerprint == other.suite.fingerprint
    assert [prompt.id for prompt in one.suite.prompts] == ["9", "10", "11"]
    assert one.games == other.games


def test_categories_and_baselines_are_families_of_their_own(tmp_path: Path) -> None:
    hard, creative = imported(
        tmp_path,
        v2("p", "A>B", "A>B"),
        v2("q", "A>B", "A>B", category="creative_writing", baseline="gemini-2.0-flash-001"),
    )
    assert [found.suite.name for found in (hard, creative)] == [
        "arena-hard-auto/hard_prompt",
        "arena-hard-auto/creative_writing",
    ]
    assert [prompt.id for prompt in hard.suite.prompts] == ["p"]
    assert hard.labels == (BASELINE, "hard_prompt")


def test_with_its_suite_the_prompts_are_the_suites_and_absent_ones_are_unscored(
    mini_answers: Path, tmp_path: Path
) -> None:
    options = ImportOptions(suite="codearena_mini", baseline="mini-baseline")
    row = v2("mini-003", "B>A", "A>B", baseline="mini-baseline")
    (found,) = imported(tmp_path, row, options=options)
    assert len(found.games) == 64
    assert found.has_questions
    assert sum(game.verdict.status == "scored" for game in found.games) == 2
    with pytest.raises(DataError, match=r"verdicts\.jsonl:1: 1 ids are not in the suite 'codearena_mini': 'p'"):
        imported(tmp_path, {**row, "uid": "p"}, options=options)
    with pytest.raises(ConfigError, match=f"baseline '{BASELINE}'"):
        imported(tmp_path, v2("mini-003", "B>A", "A>B"), options=ImportOptions(suite="codearena_mini"))
