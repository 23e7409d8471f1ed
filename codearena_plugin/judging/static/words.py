"""What the words of a question or an answer say, in English and Chinese: terms, language, refusals, filler, repeats.

Every function reads a bounded part of its text and is linear in it. Patterns have no nested repetition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Script = Literal["han", "latin", "other"]

READ_LIMIT = 200_000
_REFUSAL_WINDOW = 400
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,60}")
_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
_HAN_CHAR = re.compile(r"[\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}")
_OTHER_CHAR = re.compile(r"[\u0370-\u1fff\u3040-\u30ff\uac00-\ud7af]")
_SENTENCE_END = re.compile(r"[.!?\n。！？；]")

_STOPPED = """
about above after again all also and any are because been before being below between both but can cannot code could
did does doing done each etc example few for from further get give given gives had has have having help her here
him his how however into its just know like make many may me more most much must need needs nor not now off once
one only other our out over own please program question same shall she should show some such than thanks that the
their them then there these they this those through too two under until use used using very want was way were what
when where which while who why will with without work works would write yes you your
一个 一段 一下 请写 请用 如何 怎么 怎样 什么 使用 可以 需要 这个 我们 代码 程序 问题 给出 实现
"""
_STOP_TERMS = frozenset(_STOPPED.split())

_REFUSALS = (
    *("i cannot", "i can't", "i can not", "i'm unable", "i am unable", "i won't", "i will not be able"),
    *("as an ai", "unable to assist", "unable to help", "can't assist", "cannot assist", "can't help with"),
    *("无法提供", "无法协助", "无法帮助", "不能提供", "不能协助"),
    *("作为一个ai", "作为ai", "作为一个人工智能", "我无法"),
)
_APOLOGIES = (
    *("sorry", "apologi", "as an ai", "unfortunately"),
    *("抱歉", "对不起", "作为一个ai", "作为ai", "作为一个人工智能", "遗憾", "我无法"),
)
_FILLER = (
    *("i hope this helps", "hope this helps", "let me know if", "feel free to", "happy coding", "great question"),
    *("certainly!", "sure!", "sure thing", "of course!", "absolutely!", "it is important to note that", "as mentioned"),
    *("don't hesitate", "good luck", "in today's"),
    *("希望这对", "希望能帮", "希望对你", "如果你有任何", "如有任何", "祝你", "好问题", "当然可以", "没问题！"),
)
_ASKS_TO_MAKE = re.compile(
    r"\b(?:write|implement|creat|build|mak|generat|develop|design|cod|fix|convert|rewrit|refactor|add|optimi[sz]|"
    r"complet|translat|port|script|program|function|query|regex|how (?:do|to|can))|"
    r"写|实现|创建|生成|编|设计|修改|修复|改写|优化|重构|完成|开发|添加|代码|脚本|函数|程序|如何|怎么",
    re.IGNORECASE,
)
_ASKS_TO_EXPLAIN = re.compile(
    r"\b(?:explain|what (?:is|are|does|do|would)|why|difference|review|compare|describe|which|is it|should i)\b|"
    r"解释|说明|为什么|区别|什么是|是什么|比较|分析",
    re.IGNORECASE,
)
_CODE_ALONE = re.compile(
    r"\b(?:code|answer|output|script|query) only\b|\bonly (?:the )?(?:code|answer|output)\b|"
    r"\b(?:no|without) explanation|"
    r"只(?:需要|需|要|给|输出|返回)(?:出)?代码|不(?:要|需要|用)解释|无需解释",
    re.IGNORECASE,
)
_NO_CODE = re.compile(
    r"\b(?:no|without|not) (?:any |write |writing |need |want )?code\b|"
    r"(?:不要|不用|无需|不需要|不必|别)(?:写|给|任何|出){0,2}代码",
    re.IGNORECASE,
)
_NAMES_A_LANGUAGE = re.compile(r"\b(?:translate|translation|chinese|english)\b|翻译|英文|英语|中文|汉语", re.IGNORECASE)


def terms(text: str, *, at_most: int) -> set[str]:
    """Return the first distinct terms: words and identifiers of three letters and more, and pairs of Han characters.

    >>> sorted(terms("Use parse_row() on the CSV 冒泡排序", at_most=9))
    ['csv', 'parse_row', '冒泡', '排序', '泡排']
    """
    found: dict[str, None] = {}
    for term in _all_terms(text[:READ_LIMIT]):
        found[term] = None
        if len(found) >= at_most:
            break
    return set(found)


def _all_terms(text: str) -> Iterator[str]:
    for match in _WORD.finditer(text):
        word = match.group().lower()
        if word not in _STOP_TERMS:
            yield word
    for match in _HAN.finditer(text):
        run = match.group()
        for start in range(len(run) - 1):
            pair = run[start : start + 2]
            if pair not in _STOP_TERMS:
                yield pair


def script(text: str) -> Script | None:
    """Return which writing most of a text is in; ``None`` where there is too little of it to say.

    A Han character counts as much as a Latin word of two letters or more; a third of the text makes it Chinese, for
    Chinese questions about code are full of English names.
    """
    head = text[:READ_LIMIT]
    han, latin, other = (len(pattern.findall(head)) for pattern in (_HAN_CHAR, _LATIN_WORD, _OTHER_CHAR))
    total = han + latin + other
    if total < 5:
        return None
    if other * 2 > total:
        return "other"
    return "han" if han * 3 >= total else "latin"


def size(text: str) -> float:
    """Return how many words a text has, repeated sentences left out; a Chinese word is counted as two characters."""
    head = "\n".join(dict.fromkeys(_SENTENCE_END.split(text[:READ_LIMIT])))
    return len(_LATIN_WORD.findall(head)) + len(_HAN_CHAR.findall(head)) / 2


def refuses(text: str) -> bool:
    """Return whether a text opens like a refusal: it says that it will not, and apologises or calls itself an AI."""
    head = text.lstrip()[:_REFUSAL_WINDOW].lower().replace("’", "'")
    return any(words in head for words in _REFUSALS) and any(words in head for words in _APOLOGIES)


def filler(text: str) -> int:
    """Return how many stock phrases that say nothing a text contains."""
    head = text[:READ_LIMIT].lower().replace("’", "'")
    return sum(head.count(phrase) for phrase in _FILLER)


def repeated_share(text: str) -> float:
    """Return which share of a text's sentences and lines, by length, has been said before; short ones are left out."""
    seen: set[str] = set()
    again = total = 0
    for piece in _SENTENCE_END.split(text[:READ_LIMIT]):
        sentence = " ".join(piece.split())
        if len(sentence) < 15:
            continue
        total += len(sentence)
        if sentence in seen:
            again += len(sentence)
        seen.add(sentence)
    return again / total if total else 0.0


def distinct_share(text: str) -> float:
    """Return the number of distinct words per word, of the first 2,000; 1.0 for fewer than 200 words."""
    found = text[:READ_LIMIT].split(maxsplit=2_000)[:2_000]
    return len(set(found)) / len(found) if len(found) >= 200 else 1.0


def asks_for_code(question: str, *, names_a_language: bool) -> bool:
    """Return whether a question wants code: it asks to make something, or names a language and asks no explanation."""
    head = question[:READ_LIMIT]
    if _NO_CODE.search(head):
        return False
    if _ASKS_TO_MAKE.search(head):
        return names_a_language or bool(
            re.search(r"\b(?:code|script|function|program)|代码|脚本|函数|程序", head, re.IGNORECASE)
        )
    return names_a_language and not _ASKS_TO_EXPLAIN.search(head)


def wants_code_alone(question: str) -> bool:
    """Return whether a question forbids explanation."""
    return _CODE_ALONE.search(question[:READ_LIMIT]) is not None


def speaks_of_languages(question: str) -> bool:
    """Return whether a question may want an answer in another natural language than its own."""
    return _NAMES_A_LANGUAGE.search(question[:READ_LIMIT]) is not None
