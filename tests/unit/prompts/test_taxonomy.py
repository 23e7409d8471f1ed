from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.errors import DataError
from codearena_plugin.prompts import taxonomy
from codearena_plugin.prompts.taxonomy import (
    MAIN_CLASSES,
    SUB_CLASSES,
    classify,
    find_category,
    load_mapping,
    normalise,
)
from codearena_plugin.records import Category

SHARED = Path(__file__).parents[3].parent / "shared" / "data"


def test_there_are_7_main_classes_and_40_sub_classes() -> None:
    assert len(MAIN_CLASSES) == 7
    assert len(SUB_CLASSES) == 40
    assert len({category.sub_class for category in SUB_CLASSES}) == 40


def test_main_classes_stand_in_the_order_of_the_papers_table_3() -> None:
    assert [name.split()[0].strip(",") for name in MAIN_CLASSES] == [
        "User",
        "Development",
        "Specialized",
        "Tools",
        "Emerging",
        "Miscellaneous",
        "Databases",
    ]


def test_the_class_names_are_the_published_ones() -> None:
    path = SHARED / "published" / "paper_subclass_counts.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with path.open(encoding="utf-8") as file:
        published = {(row["main_class"], row["sub_class_in_tasktype_to_levels"]) for row in csv.DictReader(file)}
    assert published == {(category.main_class, category.sub_class) for category in SUB_CLASSES}


def test_every_phrase_of_ours_leads_to_one_class_and_is_written_normalised() -> None:
    phrases = [phrase for subs in taxonomy._PHRASES.values() for found in subs.values() for phrase in found]
    assert len(phrases) >= 250
    assert [phrase for phrase, n in Counter(phrases).items() if n > 1] == []
    assert [phrase for phrase in phrases if normalise(phrase) != phrase] == []


def test_every_sub_class_name_leads_to_itself() -> None:
    for category in SUB_CLASSES:
        assert classify([category.sub_class.upper()]) == category


@pytest.mark.parametrize(
    ("task_type", "sub_class"),
    [
        ("web development", "Web, Mobile Development"),
        ("Bug_Fixing", "Code Debugging"),
        ("bug  fixing", "Code Debugging"),
        ("sql query optimization", "Performance and Optimization"),
        ("regex", "Specialized Algorithms and Techniques"),
        ("CI/CD", "Automation and DevOps"),
        ("object-oriented programming", "Programming Fundamentals"),
        ("C++ unit tests", "Testing and Debugging"),
        ("writing a machine learning pipeline", "Machine Learning"),
        ("design of user interfaces", "UI/UX Design"),
        ("sql", "Database Management"),
        ("unspecified", "Unspecified and Miscellaneous topics"),
    ],
)
def test_a_task_type_leads_to_this_sub_class(task_type: str, sub_class: str) -> None:
    found = classify([task_type])
    assert found is not None
    assert found.sub_class == sub_class


def test_a_phrase_inside_a_word_is_no_match() -> None:
    assert classify(["guild wiring"]) is None  # holds "gui" and "ui"
    assert classify(["mainframe"]) is None  # holds "ai"


def test_the_longest_phrase_decides_over_a_shorter_one() -> None:
    short, long = classify(["some sql thing"]), classify(["some sql injection thing"])
    assert short is not None
    assert long is not None
    assert (short.sub_class, long.sub_class) == ("Database Management", "Security")


def test_the_first_task_type_that_maps_decides() -> None:
    assert classify(["zzz", "game development", "sql"]) == classify(["game development"])
    assert classify([]) is None
    assert classify(["zzz"]) is None


def test_a_users_mapping_decides_alone() -> None:
    mapping = {"sql": Category(MAIN_CLASSES[0], "Somewhere else")}
    assert classify(["SQL"], mapping) == mapping["sql"]
    assert classify(["web development"], mapping) is None
    assert classify(["sql query"], mapping) is None


def test_an_empty_mapping_of_the_user_is_still_the_users() -> None:
    assert classify(["web development"], {}) is None


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_text_is_classified_or_left_unclassified(task_types: list[str]) -> None:
    found = classify(task_types)
    assert found is None or found in SUB_CLASSES
    assert found == classify(task_types)


def test_a_stated_class_is_found_by_its_name() -> None:
    assert find_category(None, "security") == Category("Specialized Computing Areas", "Security")
    assert find_category("Databases and Data Handling", "Security") is None
    assert find_category(None, "Nonsense") is None


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "tasktype_to_levels.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_the_authors_format_is_read_and_the_first_pair_binds(tmp_path: Path) -> None:
    tools, dev = MAIN_CLASSES[3], MAIN_CLASSES[1]
    path = written(tmp_path, {"Code-Golf": [[tools, "Fun"], [dev, "Other"]], "sql": [[dev, "Data"]]})
    assert load_mapping(path) == {"code golf": Category(tools, "Fun"), "sql": Category(dev, "Data")}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON"),
        ([], "got list, expected an object"),
        ({}, "expected an object"),
        ({"sql": []}, "task type 'sql'"),
        ({"sql": "Databases"}, "expected [["),
        ({"sql": [["Databases"]]}, "expected [["),
        ({"sql": [["Databases and Data Handlin", "X"]]}, "Did you mean 'Databases and Data Handling'?"),
        ({"a-b": [[MAIN_CLASSES[0], "X"]], "a b": [[MAIN_CLASSES[0], "Y"]]}, "two spellings"),
    ],
)
def test_a_bad_mapping_file_is_named_with_its_fault(tmp_path: Path, content: Any, says: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError) as caught:
        load_mapping(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)


def test_an_absent_mapping_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_mapping(tmp_path / "none.json")
