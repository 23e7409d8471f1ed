from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codearena_plugin.fences import Block, split, tag


def test_blocks_come_in_order_with_their_tags_and_the_prose_stays() -> None:
    parts = split("First:\n```python\nx = 1\n```\nThen:\n~~~ Bash\nls\n~~~\nDone.")
    assert parts.blocks == (Block("python", "x = 1", is_closed=True), Block("bash", "ls", is_closed=True))
    assert parts.prose == "First:\nThen:\nDone."


def test_a_fence_that_is_never_closed_is_flagged() -> None:
    assert split("```go\nfunc main() {").blocks == (Block("go", "func main() {", is_closed=False),)


def test_a_stray_closing_fence_at_the_end_is_no_block() -> None:
    assert split("```c\nint x;\n```\n```\n").blocks == (Block("c", "int x;", is_closed=True),)


def test_a_longer_fence_holds_a_shorter_one() -> None:
    assert split("````markdown\n```python\nx\n```\n````").blocks == (
        Block("markdown", "```python\nx\n```", is_closed=True),
    )


def test_tildes_do_not_close_backticks_and_a_tagged_fence_closes_nothing() -> None:
    assert split("```\n~~~\n```js\n```").blocks == (Block("", "~~~\n```js", is_closed=True),)


def test_the_indentation_of_a_list_item_is_taken_off_its_code() -> None:
    assert split("1. Do:\n\n   ```python\n   if x:\n       y()\n  z\n   ```").blocks == (
        Block("python", "if x:\n    y()\nz", is_closed=True),
    )


def test_inline_code_with_three_backticks_opens_nothing() -> None:
    assert split("Use ```ls -l``` here.").blocks == ()
    assert split("```not a fence` at all").blocks == ()


def test_windows_and_old_mac_line_ends_are_lines() -> None:
    assert (
        split("```py\r\na\r\nb\r\n```").blocks
        == split("```py\ra\rb\r```").blocks
        == (Block("py", "a\nb", is_closed=True),)
    )


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("python3 title=a.py", "python3"),
        ("{.haskell .x}", "haskell"),
        ("js{1,3}", "js"),
        ("C#", "c#"),
        ("`" * 3, "```"),
    ],
)
def test_the_tag_is_the_first_word_of_the_info_string(info: str, expected: str) -> None:
    assert tag(info) == expected


@given(st.text(alphabet="`~ \n\tab\r\0\ud800", max_size=200))
def test_splitting_never_raises_and_invents_nothing(text: str) -> None:
    parts = split(text)
    kept = parts.prose + "".join(block.language_tag + block.code for block in parts.blocks)
    assert all(kept.count(letter) <= text.count(letter) for letter in "ab`~\0\ud800")
