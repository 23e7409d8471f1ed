from __future__ import annotations

import pytest

from codearena_plugin.report.untrusted import beginning, one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "␛]8;;http://evil␛\\click␛]8;;␛\\"),
        ("\x9b31m", "<U+009B>31m"),
        ("a\x00\x07\x08\x7f", "a␀␇␈␡"),
        ("user\u202etxt.exe\u2069", "user<U+202E>txt.exe<U+2069>"),
        ("a\u2028b\u200b\ufeff", "a<U+2028>b<U+200B><U+FEFF>"),
        ("\ud83d", "<U+D83D>"),
        ("\U000e0041", "<U+E0041>"),
        ("line\r\nnext\rover", "line\nnext␍over"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_made_visible(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["plain\n\tcode()", "你好，世界", "naïve café", "👩\u200d💻", "שלום", "[red]"])
def test_ordinary_text_is_left_alone(text):
    assert visible(text) == text


def test_one_line_is_one_line_and_cut():
    assert one_line("a\n\n b\tc") == "a b c"
    assert one_line("x" * 300) == "x" * 199 + "…"


def test_a_long_text_says_how_much_is_left_out():
    assert beginning("x" * 30, 10) == "x" * 10 + "\n… 20 more characters (--full shows them)"
    assert beginning("x" * 30, None) == "x" * 30
