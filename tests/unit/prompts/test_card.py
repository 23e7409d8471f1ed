from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from codearena_plugin import paths
from codearena_plugin.errors import ConfigError
from codearena_plugin.prompts.card import answer_set, embedded_file, load_task_card, read_task_card

CARDS = sorted(paths.data_dir("tasks").glob("*/task.yaml"))
GOOD = {
    "name": "mine",
    "title": "Mine",
    "version": "1-A",
    "summary": "ours",
    "licence": "MIT",
    "source": {"embedded": {"file": "p.jsonl"}},
    "n_prompts": 3,
    "baseline": "m",
    "judge": "static",
}


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "mine" / "task.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return path


def test_the_real_card_pins_the_data_as_the_paper_published_it() -> None:
    card = load_task_card("codearena")
    assert card.n_prompts == 397
    assert card.baseline == "gpt-4-turbo-2024-04-09"
    assert card.judge == "codearena"
    assert card.source.hub is not None
    assert card.source.hub.dataset == "CSJianYang/CodeArena"
    assert card.source.hub.revision == "05a5f4cae626aab85514451b7d51141b1bef3189"
    assert card.source.hub.split == "test"


def test_the_mini_card_names_files_that_are_there() -> None:
    card = load_task_card("codearena_mini")
    assert embedded_file(card).is_file()
    assert {name: answer_set(card, name).is_file() for name in card.answer_sets} == {"careful": True, "hasty": True}


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_lm_eval_cannot_take_a_card_for_a_task(path: Path) -> None:
    assert not {"task", "group", "class", "tag"} & set(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_a_card_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_task_card("codearena").n_prompts = 1  # type: ignore[misc]


def test_an_unknown_task_is_an_error_that_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"Unknown task 'codearna'. Did you mean 'codearena'"):
        load_task_card("codearna")


def test_an_unknown_answer_set_is_an_error_that_lists_them() -> None:
    with pytest.raises(ConfigError, match="Available: careful, hasty"):
        answer_set(load_task_card("codearena_mini"), "perfect")


def test_a_hub_card_has_no_embedded_file() -> None:
    with pytest.raises(ConfigError, match="no embedded rows"):
        embedded_file(load_task_card("codearena"))


def test_a_card_anywhere_can_be_read(tmp_path: Path) -> None:
    assert read_task_card(written(tmp_path, GOOD)).answer_sets == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": "1.0"}, "field 'version': got '1.0'"),
        ({"version": 1}, "field 'version'"),
        ({"n_prompts": 0}, "field 'n_prompts'"),
        ({"licens": "MIT"}, "field 'licens'"),
        ({"source": {}}, "field 'source'"),
        (
            {"source": {"hub": {"dataset": "a/b", "revision": "main", "split": "t", "files": ["f"]}}},
            "source.hub.revision",
        ),
        ({"source": {"embedded": {"file": "p", "more": 1}}}, "source.embedded.more"),
        ({"name": "other"}, "field 'name': got 'other', expected 'mine'"),
        ({"baseline": ""}, "field 'baseline'"),
    ],
)
def test_a_wrong_card_is_an_error_that_names_file_and_field(
    tmp_path: Path, change: dict[str, object], says: str
) -> None:
    path = written(tmp_path, GOOD | change)
    with pytest.raises(ConfigError) as caught:
        read_task_card(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("content", ["", "- a", "a: [", "just text", "\x00"])
def test_a_file_that_is_no_card_is_an_error_of_one_line(tmp_path: Path, content: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_task_card(written(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_an_absent_card_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_task_card(tmp_path / "task.yaml")
