from __future__ import annotations

import pytest

from codearena_plugin.judging.static import kinship, traits
from codearena_plugin.judging.static.kinship import FOREIGN, SAME, SISTER
from codearena_plugin.languages import NAMES
from codearena_plugin.syntax.grammars import grammar


def test_every_spelling_of_the_table_is_understood_here_too() -> None:
    """ "embedded c", "c++17" and "java script" once meant nothing to this judge."""
    for label, name in NAMES.items():
        assert kinship.wanted_languages([label]) == (() if name in kinship._UNTAGGED else (name,)), label


@pytest.mark.parametrize(
    ("label", "tag", "expected"),
    [
        ("embedded c", "c", SAME),
        ("c++17", "cpp", SAME),
        ("java script", "js", SAME),
        ("apps script", "gs", FOREIGN),
        ("apps script", "javascript", SAME),
        ("Google Apps Script", "appsscript", SAME),
        ("VBA", "vb", SAME),
        ("PL/SQL", "sql", SAME),
        ("mql4", "mq5", SAME),
        ("mql4", "cpp", SISTER),
        ("c/c++", "c", SAME),
        ("luau", "lua", SISTER),
        ("Befunge", "befunge", SAME),
        ("Python", "go", FOREIGN),
    ],
)
def test_a_block_of_this_tag_counts_so_much_for_this_label(label: str, tag: str, expected: float) -> None:
    found = traits.read("Write it.", [label], f"```{tag}\nx\n```")
    assert found.right_language == expected


@pytest.mark.parametrize("tag", ["", "text", "output", "md", "diff", "html/css", "regex"])
def test_a_tag_that_names_no_single_language_counts_for_nothing(tag: str) -> None:
    assert kinship.tagged_language(tag) is None


def test_kinship_knows_only_names_of_the_table() -> None:
    named = {name for group in (*kinship._DIALECTS, *kinship._FAMILIES) for name in group} | kinship._UNTAGGED
    assert named <= set(NAMES.values())


def test_dialects_have_one_grammar() -> None:
    grammars = [{grammar(name) for name in group} for group in kinship._DIALECTS]
    assert [found for found in grammars if len(found - {None}) > 1] == []
