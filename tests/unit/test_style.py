from __future__ import annotations

import gc
import gzip
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt  # rich brings it

from codearena_plugin.languages import NAMES
from codearena_plugin.style import FEATURES, Style, contrasts, measure
from codearena_plugin.style.comments import COMMENTS, comment_lines

MARKDOWN = "`*_~#-+1. \n\tax\\\"'/<!>(){}|\r\x00\ud800注：é"
styles = st.builds(Style, *[st.integers(0, 10**6)] * 2, st.just(0), *[st.integers(0, 10**6)] * 5)


def real_answers(folder: Path) -> list[str]:
    def rows(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in gzip.decompress((folder / name).read_bytes()).splitlines()]

    texts = [row["gpt-4-0314_response"] for row in rows("prompts.jsonl.gz")]
    for model in ("gpt-3.5-turbo-0125", "gpt-4-0613"):
        texts += [row["response"] for row in rows(f"answers_{model}.jsonl.gz")]
    return texts


def test_a_whole_answer_is_counted_as_it_is_written() -> None:
    """Counted by hand; whoever changes a number here must raise the schema of ``runs.style`` (stored counts)."""
    answer = """# Sorting

Use **Timsort**,
it is __Stable__ (see `a ** b` and `**x**`).

1. Call it:
   ```python
   #!/usr/bin/env python
   # newest first

   rows.sort(reverse=True)  # in place
   ```
2. Or not
   - **really**

* * *
~~~sql
/* all
   rows */
SELECT 1; -- one
-- done
~~~
"""
    assert measure(answer) == Style(
        code_chars=21 + 14 + 35 + 6 + 10 + 16 + 7,
        prose_chars=9 + 16 + 44 + 11 + 9 + 15 + 5,
        comment_lines=1 + 3,
        code_lines=3 + 4,
        headings=1,
        list_items=3,
        bold=3,
        code_blocks=2,
    )


def test_an_empty_answer_has_nothing_of_anything() -> None:
    assert measure("") == measure(" \n\t\n") == Style(0, 0, 0, 0, 0, 0, 0, 0)


def test_white_space_at_line_ends_and_windows_line_ends_add_no_length() -> None:
    plain = "a b\n\n```c\nint x;\n```\nc"
    assert measure(plain) == measure(plain.replace("\n", "  \r\n")) == measure(plain.replace("\n", "\t\n"))
    assert (measure(plain).prose_chars, measure(plain).code_chars) == (4, 6)


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("# a\n## b\n###### c", 3),
        ("   # a", 1),
        ("    # a", 0),
        ("#a", 0),
        ("####### a", 0),
        ("#", 0),
        ("a\n===", 0),
        ("```\n# a\n```", 0),
    ],
)
def test_headings_are_lines_of_one_to_six_signs_and_a_text(text: str, n: int) -> None:
    assert measure(text).headings == n


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("- a\n* b\n+ c\n1. d\n2) e", 5),
        ("- a\n  - b\n\t- c", 3),
        ("-a\n1.a\n**a**\n--- a", 0),
        ("- - -\n* * *\n---", 0),
        ("- - a", 1),
        ("-\n1. ", 0),
        ("```\n- a\n```", 0),
        ("2024. A year", 1),
        ("1234567890. A number", 0),
    ],
)
def test_items_begin_with_a_sign_or_a_number_and_have_a_text(text: str, n: int) -> None:
    assert measure(text).list_items == n


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("**a** and __B__ and __b c__", 3),
        ("***a***", 1),
        ("**a**b", 1),
        ("**注意：**请看", 1),  # CommonMark would not make this bold; who wrote it did
        ("a__b__c", 0),
        ("`**a**`", 0),
        ("``a ` **b** ``", 0),
        ("` **a**", 1),  # a lone backtick opens nothing
        ("** a **", 0),
        ("2 ** 3 ** 4", 0),
        (r"\**a\**", 0),
        ("****a****", 0),
        ("**a\nb**", 1),
        ("**a\n\nb**", 0),
        ("- **a\n- b**", 0),
        ("## **a\nb**", 0),
        ("**a **b** c**", 2),
        ("**a __b** c__", 1),
        ("call __init__ in __main__, __not bold__", 1),
        ("**__init__**", 1),
        ("```\n**a**\n```", 0),
        ("**a\n```\nx\n```\n", 0),
    ],
)
def test_bold_is_a_pair_of_marks_around_text(text: str, n: int) -> None:
    assert measure(text).bold == n


def test_every_language_has_its_comments() -> None:
    assert set(COMMENTS) == set(NAMES.values())


@pytest.mark.parametrize(
    ("tag", "code", "n"),
    [
        ("python", "# a\nx = 1  # b\n'''c'''\n  # d", 2),
        ("python", "#!/bin/python\n# a", 1),
        ("c", "#include <a.h>\n// a\n/* b\n * c\n */\nint x; /* d */\n/* e */ int y;", 4),
        ("js", 'glob("src/*");\nx();\ny();', 0),
        ("js", "/* a */ // b\n{/* c */}", 2),
        ("js", "/* never closed\nx()", 2),
        ("css", "/* a */\n// b", 1),
        ("sql", "-- a\nSELECT 1", 1),
        ("lisp", ";; a\n#| b\nc |#\n(d)", 3),
        ("latex", "% a\n\\b", 1),
        ("html", "<!-- a\nb -->\n<p>", 2),
        ("php", "# a\n#[Attribute]", 1),
        ("lua", "--[[ a\nb ]]--\n-- c\nd()", 3),
        ("powershell", "<#\na\n#>\n#Requires -Version 5", 3),
        ("bat", "REM a\n:: b\necho", 2),
        ("vba", "' a\nRem b\nx = 1", 2),
        ("json", '{"a": "# b"}', 0),
        ("markdown", "# a\n<!-- b -->", 1),
        ("text", "# a\n// b", 0),
        ("", "# a\n#b\n// c\n-- d\n--e", 3),
        ("brainfuck", "/* a */\n+++", 1),
    ],
)
def test_a_comment_line_holds_a_comment_of_its_language_and_nothing_else(tag: str, code: str, n: int) -> None:
    assert comment_lines(code.split("\n"), tag) == n
    assert measure(f"```{tag}\n{code}\n```").comment_lines == n


def test_one_block_s_open_comment_does_not_reach_into_the_next() -> None:
    assert measure("```c\n/* a\n```\n```c\nint x;\n```").comment_lines == 1


def test_contrasts_by_hand() -> None:
    answer = Style(300, 100, 2, 10, 3, 0, 1, 2)
    baseline = Style(100, 300, 1, 20, 1, 4, 1, 0)
    assert dict(zip(FEATURES, contrasts(answer, baseline), strict=True)) == pytest.approx(
        {
            "code_length": 0.5,
            "prose_length": -0.5,
            "comment_share": 0.15,
            "headings": 0.5,
            "lists": -1.0,
            "bold": 0.0,
            "code_blocks": 1.0,
        }
    )


@given(styles, styles)
def test_contrasts_are_bounded_change_sign_with_the_sides_and_vanish_between_equals(a: Style, b: Style) -> None:
    found = contrasts(a, b)
    assert len(found) == len(FEATURES)
    assert all(-1 <= value <= 1 for value in found)
    assert contrasts(b, a) == tuple(-value for value in found)
    assert not any(contrasts(a, a))


@given(st.text(alphabet=MARKDOWN, max_size=300))
def test_counts_of_any_text_are_whole_numbers_that_fit_into_it(text: str) -> None:
    found = measure(text)
    assert min(found) >= 0
    assert found.code_chars + found.prose_chars <= len(text)
    assert found.comment_lines <= found.code_lines
    assert max(found.headings + found.list_items, found.code_blocks) <= text.count("\n") + text.count("\r") + 1
    assert 4 * found.bold <= text.count("*") + text.count("_")


@given(st.text(alphabet=MARKDOWN, max_size=100), st.text(alphabet=MARKDOWN, max_size=100))
def test_what_stands_in_a_fence_is_code_and_changes_nothing_else(before: str, code: str) -> None:
    fence = "`" * 120
    alone = measure(before.replace("`", "").replace("~", "") + "\n\n")
    both = measure(f"{before.replace('`', '').replace('~', '')}\n\n{fence}\n{code}\n{fence}\n")
    assert both.code_blocks == 1
    assert alone._replace(code_chars=0, comment_lines=0, code_lines=0, code_blocks=0) == both._replace(
        code_chars=0, comment_lines=0, code_lines=0, code_blocks=0
    )


HOSTILE = r"`|*|_|**a |__a |a** |**a __b |** |*a|`a|``a`|` `` |- |# |#|1. |/*|<!--| | - |> |__a|**a **b a** |\**"


def seconds(text: str) -> float:
    """Return the CPU time of measuring a text, best of five, without the collector's walks over all other objects."""
    times = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            started = time.process_time()
            measure(text)
            times.append(time.process_time() - started)
    finally:
        gc.enable()
    return min(times)


@pytest.mark.parametrize("piece", [*HOSTILE.split("|"), "```\n", "~~~a\n", "- a\n", "```c\n/*\n", "\t*"])
def test_hostile_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    """Eight times the text, at most some 8 times as long (64 times where a pattern runs away)."""
    short = piece * (50_000 // len(piece))
    assert seconds(8 * short) < 8 * 4 * seconds(short) + 0.002


def test_runs_of_backticks_of_all_lengths_are_no_trap() -> None:
    """Each run looks for its end: all different, none finds one."""
    short, long = ("".join("`" * length + "a" for length in range(1, n)) + "**b**" for n in (400, 1600))
    assert measure(long).bold == 1
    assert seconds(long) < 16 * 4 * seconds(short) + 0.002


def test_the_counts_of_798_real_answers_are_those_of_commonmark(arena_hard: Path) -> None:
    texts = real_answers(arena_hard)
    assert len(texts) == 798
    parser = MarkdownIt("commonmark")
    for text in texts:
        tokens = parser.parse(text)
        kinds = [token.type for token in tokens]
        inner = [child.type for token in tokens if token.type == "inline" for child in token.children or ()]
        found = measure(text)
        assert (found.headings, found.list_items, found.bold, found.code_blocks) == (
            kinds.count("heading_open"),
            kinds.count("list_item_open"),
            inner.count("strong_open"),
            kinds.count("fence"),
        )


def test_real_answers_differ_in_every_feature(arena_hard: Path) -> None:
    texts = real_answers(arena_hard)
    started = time.process_time()
    found = [measure(text) for text in texts]
    print(f"{1000 * (time.process_time() - started) / len(texts):.3f} ms per answer of {sum(map(len, texts)) // 798}")
    pairs = [contrasts(answer, baseline) for answer, baseline in zip(found[266:532], found[:266], strict=True)]
    for name, column in zip(FEATURES, zip(*pairs, strict=True), strict=True):
        assert len(set(column)) > (1 if name in {"headings", "bold"} else 10), name
