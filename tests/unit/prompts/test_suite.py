from __future__ import annotations

import dataclasses
import gzip
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.prompts.files import sha256_of
from codearena_plugin.prompts.suite import Suite, SuiteOptions, fingerprint, load_suite, within_words
from codearena_plugin.records import Message, Prompt

ARENA_HARD = Path(__file__).parents[3].parent / "shared" / "data" / "arena_hard_code"
Row = Callable[..., dict[str, Any]]
Write = Callable[..., Path]


def load(path: Path, **options: Any) -> Suite:
    return load_suite("codearena", SuiteOptions(data=str(path), **options))


def test_a_users_file_becomes_a_suite_that_says_where_it_came_from(make_row: Row, write_rows: Write) -> None:
    path = write_rows([make_row(1), make_row(2)])
    suite = load(path)
    assert [prompt.id for prompt in suite.prompts] == ["p1", "p2"]
    assert suite.baseline == "gpt-4-turbo-2024-04-09"
    assert suite.revision == f"sha256:{sha256_of(path)}"
    assert str(path) in suite.source
    assert "n=2" in suite.source
    assert not suite.is_demo
    assert suite.prompt("p2").id == "p2"


def test_the_same_rows_give_the_same_fingerprint_in_any_wrapping(
    make_row: Row, write_rows: Write, tmp_path: Path
) -> None:
    path = write_rows([make_row(1), make_row(2)])
    zipped = tmp_path / "dir" / "CodeArena.jsonl.gz"
    zipped.parent.mkdir()
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert load(path).fingerprint == load(zipped).fingerprint == load(zipped.parent).fingerprint


def test_the_environment_names_the_data_when_no_option_does(
    make_row: Row, write_rows: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = write_rows([make_row(1)], "one.jsonl"), write_rows([make_row(2)], "two.jsonl")
    monkeypatch.setenv("CODEARENA_DATA", str(one))
    assert load_suite("codearena").prompts[0].id == "p1"
    assert load(two).prompts[0].id == "p2"


def test_an_unknown_suite_is_an_error_that_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'codearena_mini'"):
        load_suite("codearena_min")


def test_duplicate_ids_are_named(make_row: Row, write_rows: Write) -> None:
    with pytest.raises(DataError, match="1 prompt ids are there more than once: 'p1'"):
        load(write_rows([make_row(1), make_row(2), make_row(1)]))


def test_an_empty_file_is_an_error(write_rows: Write) -> None:
    with pytest.raises(DataError, match="no prompt in it"):
        load(write_rows([]))


def test_a_bad_row_is_named_by_file_and_line(make_row: Row, write_rows: Write) -> None:
    path = write_rows([make_row(1), make_row(2, difficulty="none of it")])
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}:2: field 'difficulty': got 'none of it'")


def only(row: dict[str, Any], **baselines: str) -> dict[str, Any]:
    del row["gpt-4-turbo-2024-04-09_response"]
    return row | {f"{model}_response": text for model, text in baselines.items()}


def test_the_only_baseline_of_a_users_file_is_taken_and_shown(make_row: Row, write_rows: Write) -> None:
    assert load(write_rows([only(make_row(1), m="x")])).baseline == "m"


def test_a_plain_baseline_column_is_a_baseline(make_row: Row, write_rows: Write) -> None:
    row = only(make_row(1)) | {"baseline": "x"}
    assert load(write_rows([row])).baseline == "baseline"


def test_several_baselines_without_the_default_are_an_error_that_lists_them(make_row: Row, write_rows: Write) -> None:
    path = write_rows([only(make_row(1), m1="x", m2="y")])
    with pytest.raises(ConfigError, match=r"Available: m1, m2. Choose one"):
        load(path)
    assert load(path, baseline="m2").baseline == "m2"


def test_a_baseline_that_was_asked_for_is_never_replaced(make_row: Row, write_rows: Write) -> None:
    with pytest.raises(ConfigError, match=r"Unknown baseline 'mm'. Did you mean 'm'"):
        load(write_rows([only(make_row(1), m="x")]), baseline="mm")


def test_a_file_without_any_baseline_is_an_error(make_row: Row, write_rows: Write) -> None:
    with pytest.raises(ConfigError, match="Expected a column '<model>_response'"):
        load(write_rows([only(make_row(1))]))


def test_rows_without_the_chosen_baseline_are_named(make_row: Row, write_rows: Write) -> None:
    rows = [make_row(1), only(make_row(2)), only(make_row(3), other="x")]
    with pytest.raises(DataError, match=r"2 prompts have no answer of the baseline .*: 'p2', 'p3'"):
        load(write_rows(rows))


def test_a_users_taxonomy_decides_and_is_recorded(make_row: Row, write_rows: Write, tmp_path: Path) -> None:
    mapping = tmp_path / "levels.json"
    mapping.write_text('{"sql": [["Databases and Data Handling", "Theirs"]]}', encoding="utf-8")
    suite = load(write_rows([make_row(1, task_type="sql"), make_row(2, task_type="web")]), taxonomy=str(mapping))
    assert [prompt.category and prompt.category.sub_class for prompt in suite.prompts] == ["Theirs", None]
    assert suite.taxonomy == str(mapping)


def test_the_length_filter_leaves_out_as_the_published_script_does(make_row: Row, write_rows: Write) -> None:
    long = {"messages": [{"role": "user", "content": "word " * 1024}]}
    just = {"messages": [{"role": "user", "content": "word " * 1023}]}
    path = write_rows([make_row(1), make_row(2, **long), make_row(3, **just)])
    whole, filtered = load(path), load(path, max_words=1024)
    assert (len(whole.prompts), whole.left_out) == (3, ())
    assert ([prompt.id for prompt in filtered.prompts], filtered.left_out) == (["p1", "p3"], ("p2",))
    assert whole.fingerprint != filtered.fingerprint


def test_a_length_filter_that_leaves_nothing_is_an_error(make_row: Row, write_rows: Write) -> None:
    for max_words in (0, -1, 1):
        with pytest.raises(ConfigError, match="leaves no prompt"):
            load(write_rows([make_row(1)]), max_words=max_words)


texts = st.text(alphabet=st.characters(), max_size=30)
prompt_lists = st.lists(texts, min_size=1, max_size=6).map(
    lambda found: [Prompt(str(at), (Message("user", text),), baselines={"m": text}) for at, text in enumerate(found)]
)


@given(prompt_lists)
def test_the_fingerprint_depends_on_content_alone(prompts: list[Prompt]) -> None:
    value = fingerprint(prompts, "m")
    assert value == fingerprint([dataclasses.replace(prompt, languages=("C",)) for prompt in prompts], "m")
    for at, prompt in enumerate(prompts):
        for other in (
            dataclasses.replace(prompt, baselines={"m": prompt.baselines["m"] + "!"}),
            dataclasses.replace(prompt, messages=(*prompt.messages, Message("user", ""))),
            dataclasses.replace(prompt, id=prompt.id + "!"),
        ):
            assert fingerprint([*prompts[:at], other, *prompts[at + 1 :]], "m") != value


@given(prompt_lists, st.integers(1, 5))
def test_the_length_filter_parts_the_prompts(prompts: list[Prompt], max_words: int) -> None:
    try:
        kept, left_out = within_words(prompts, max_words)
    except ConfigError:
        assert all(len(prompt.messages[0].content.split()) >= max_words for prompt in prompts)
        return
    assert sorted([prompt.id for prompt in kept] + list(left_out)) == sorted(prompt.id for prompt in prompts)


def test_the_suite_that_the_readme_shows_loads(make_row: Row, write_rows: Write, tmp_path: Path) -> None:
    readme = (paths.data_dir("tasks") / "README.md").read_text(encoding="utf-8")
    module = tmp_path / "my_package.py"
    module.write_text(readme.partition("```python\n")[2].partition("```")[0], encoding="utf-8")
    write_rows([make_row(1)], "my_suite/prompts.jsonl")
    card = {"name": "my_suite", "title": "Ours", "version": "1-A", "summary": "x", "licence": "MIT", "n_prompts": 1}
    source = {"embedded": {"file": "prompts.jsonl"}}
    baseline = {"baseline": "gpt-4-turbo-2024-04-09", "judge": "static"}
    (tmp_path / "my_suite" / "task.yaml").write_text(json.dumps(card | {"source": source} | baseline), encoding="utf-8")
    shown = runpy.run_path(str(module))
    assert [offer.name for offer in shown["codearena_suites"]()] == ["my_suite"]
    assert len(shown["load"](SuiteOptions()).prompts) == 1


def test_a_prompt_that_is_not_there_is_an_error(make_row: Row, write_rows: Write) -> None:
    suite = load(write_rows([make_row(1, id="mini-001")]))
    with pytest.raises(DataError, match="no prompt 'mini-01'; did you mean 'mini-001'"):
        suite.prompt("mini-01")
    with pytest.raises(DataError, match="the first of 1 is 'mini-001'"):
        suite.prompt("xyz")


def test_the_mini_suite_is_a_demo_and_covers_what_it_promises() -> None:
    suite = load_suite("codearena_mini")
    assert suite.is_demo
    assert len(suite.prompts) >= 28
    assert all(prompt.category for prompt in suite.prompts)
    assert len({prompt.category.main_class for prompt in suite.prompts if prompt.category}) == 7
    assert len({language for prompt in suite.prompts for language in prompt.languages}) >= 14
    assert {prompt.difficulty for prompt in suite.prompts} == {"easy", "medium", "hard"}
    assert {prompt.natural_language for prompt in suite.prompts} == {"en", "zh"}


def test_the_mini_suite_refuses_other_data(make_row: Row, write_rows: Write) -> None:
    path = write_rows([make_row(1)])
    with pytest.raises(ConfigError, match="is its own data"):
        load_suite("codearena_mini", SuiteOptions(data=str(path)))


def test_the_266_real_prompts_of_arena_hard_load_with_their_baseline() -> None:
    if not ARENA_HARD.exists():
        pytest.skip(f"{ARENA_HARD} is not here")
    suite = load(ARENA_HARD)
    assert len(suite.prompts) == 266
    assert suite.baseline == "gpt-4-0314"
    assert all(prompt.category is None and prompt.difficulty is None for prompt in suite.prompts)
