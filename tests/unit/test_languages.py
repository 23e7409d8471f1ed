from __future__ import annotations

import csv
import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.languages import _SPELLINGS, NAMES, _key, canonical_language, canonical_languages

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

# facts/paper.md 1.4: every label of the paper's Figure 3
PAPER_LABELS = [
    "python", "general", "css", "java", "c++", "html", "c", "c#", "js", "bash", "matlab", "sql", "swift", "php",
    "kotlin", "powershell", "ts", "go", "rust", "html/css", "r", "pinescript", "dart", "latex", "bootstrap", "GAS",
    "c/c++", "vhdl", "autolisp", "verilog", "ahk", "c51", "node.js", "lua", "mql4", "assembly", "PAD", "luau",
    "autohotkey", "autoit", "vba", "haskell", "pl/sql", "mq4",
]  # fmt: skip


def test_all_44_labels_of_the_paper_are_known() -> None:
    assert len(PAPER_LABELS) == 44
    names = set(NAMES.values())
    for label in PAPER_LABELS:
        assert set(canonical_languages([label])) <= names
        assert canonical_languages([label]) or label == "general"


def test_the_papers_aliases_fall_together() -> None:
    for one, other in [
        ("ahk", "autohotkey"),
        ("mql4", "mq4"),
        ("js", "node.js"),
        ("ts", "TypeScript"),
        ("go", "golang"),
    ]:
        assert canonical_languages([one]) == canonical_languages([other])


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("c/c++", ("C", "C++")),
        ("html/css", ("HTML", "CSS")),
        ("HTML, CSS and JS", ("HTML", "CSS", "JavaScript")),
        ("pl/sql", ("PL/SQL",)),
        ("  C#  ", ("C#",)),
        ("vb.net", ("Visual Basic .NET",)),
        ("c51", ("C",)),
        ("nasm", ("Assembly",)),
        ("PAD", ("Power Automate Desktop",)),
        ("general", ()),
        ("General", ()),
        ("", ()),
        (" Befunge-93 ", ("Befunge-93",)),
        ("python/befunge", ("python/befunge",)),
    ],
)
def test_a_raw_label_becomes_these_names(label: str, names: tuple[str, ...]) -> None:
    assert canonical_languages([label]) == names


def test_names_are_kept_once_in_order_of_first_mention() -> None:
    assert canonical_languages(["js", "C++", "node.js", "cpp", "general", "sql"]) == ("JavaScript", "C++", "SQL")


def test_every_label_of_the_real_arena_hard_rows_is_known() -> None:
    path = SHARED / "arena_hard_code" / "prompts.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        labels = {label for line in lines for label in json.loads(line)["programming_language"]}
    assert set(canonical_languages(sorted(labels))) <= set(NAMES.values())


def test_the_label_list_here_is_the_published_one() -> None:
    path = SHARED / "published" / "paper_languages.csv"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    with path.open(encoding="utf-8") as file:
        assert {row["label"] for row in csv.DictReader(file)} == set(PAPER_LABELS)


@given(st.lists(st.one_of(st.sampled_from(sorted(NAMES)), st.text(max_size=20))))
def test_canonical_names_are_stable_and_unique(labels: list[str]) -> None:
    once = canonical_languages(labels)
    assert len(set(once)) == len(once)
    assert canonical_languages(once) == once


def test_a_spelling_means_the_same_in_any_case_and_with_hyphens() -> None:
    for spelling, name in NAMES.items():
        for written in (spelling.upper(), f"  {spelling} ", re.sub(r"(?<=\w) (?=\w)", "-", spelling)):
            assert canonical_language(written) == name, written
            assert canonical_languages([written]) == (name,), written


def test_no_spelling_stands_for_two_languages() -> None:
    spellings = Counter(
        spelling
        for name, others in _SPELLINGS.items()
        for spelling in {_key(written) for written in (name, *others.split(",")) if written}
    )
    assert [spelling for spelling, n in spellings.items() if n > 1] == []


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("python", "Python"),
        ("PY", "Python"),
        ("c++", "C++"),
        ("c++17", "C++"),
        ("golang", "Go"),
        ("sh", "Bash"),
        ("yml", "YAML"),
        ("visual-basic", "Visual Basic .NET"),
        ("x86-assembly", "Assembly"),
        ("c--", None),
        ("text", None),
        ("", None),
        ("   ", None),
    ],
)
def test_a_tag_names_this_language(tag: str, name: str | None) -> None:
    assert canonical_language(tag) == name


@given(st.text(max_size=60))
def test_any_text_names_a_known_language_or_none(tag: str) -> None:
    assert canonical_language(tag) in {None, *NAMES.values()}
