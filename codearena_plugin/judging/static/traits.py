"""Read the traits off one answer: each a number from 0 (bad) to 1 (good), or ``None`` where it does not apply.

The judge looks at each answer alone here; ``compare`` sets two of them side by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from codearena_plugin import fences
from codearena_plugin.fences import Block, Parts
from codearena_plugin.judging.static import kinship, words
from codearena_plugin.judging.static.guess import guess
from codearena_plugin.syntax import parsing

_BLOCKS_READ = 100
_QUESTION_TERMS = 60
_ANSWER_TERMS = 20_000
_ON_TOPIC_ENOUGH = 0.8  # no answer repeats every word of its question
_WORDS_ENOUGH = 100
_REPEATS_ALLOWED = 0.15
_DISTINCT_ENOUGH = 0.12
_LONGEST_STUB = 120

_CODE_LINE = re.compile(
    r"^\s{0,80}(?:def |class |import |from \w|#include|return\b|for ?\(|if ?\(|while ?\(|SELECT )|[;{}]\s{0,9}$"
)
_INLINE_CODE = re.compile(r"`[^`\n]{2,200}`")
_COMMENT = ("#", "//", "/*", "*", "--", "<!--", "%", ";", "'", '"', "...", "…", "(*", "{")
_STUB_WORDS = (
    *("todo", "fixme", "your code", "code here", "logic here", "goes here", "implementation here", "implement this"),
    *("rest of the", "rest of your", "remaining code", "existing code", "same as before", "same as above", "omitted"),
    *("add more", "and so on", "implement the", "implement your"),
    *("你的代码", "省略", "其余", "剩余", "在此处", "在这里", "待实现"),
)
_BARE_STUBS = frozenset(
    ("...", "…", "# ...", "// ...", "/* ... */", "<!-- ... -->", "-- ...", "raise NotImplementedError")
)
_GOOD_ENDINGS = ".!?:)]}>\"'`*_|;=~$。！？：）】》”’」…"


@dataclass(frozen=True, slots=True)
class Traits:
    """What can be read off one answer, each in [0, 1]; ``None`` = unknown or not asked for."""

    has_code: float | None
    right_language: float | None
    parses: float | None
    complete: float | None
    unrefused: float | None
    on_topic: float | None
    same_language: float | None
    concise: float | None
    explained: float | None


def read(question: str, wanted: Sequence[str], answer: str) -> Traits:
    """Return the traits of one answer to a question about some programming languages (none for "general")."""
    names = kinship.wanted_languages(wanted)
    parts = fences.split(answer)
    code = [block for block in parts.blocks if block.code.strip()][:_BLOCKS_READ]
    named = [(name, block) for block in code if (name := _language(block)) is not None]
    has_code = _has_code(parts, code)
    asked = words.asks_for_code(question, names_a_language=bool(names))
    return Traits(
        has_code=has_code if asked else None,
        right_language=max(kinship.kinship(name, names) for name, _ in named) if names and named else None,
        parses=_parses(named),
        complete=_complete(question, answer, parts),
        unrefused=_unrefused(answer, has_code),
        on_topic=_on_topic(question, answer),
        same_language=_same_language(question, parts.prose),
        concise=_concise(answer),
        explained=None if words.wants_code_alone(question) else min(1.0, words.size(parts.prose) / _WORDS_ENOUGH),
    )


def _language(block: Block) -> str | None:
    return kinship.tagged_language(block.language_tag) if block.language_tag else guess(block.code)


def _has_code(parts: Parts, code: Sequence[Block]) -> float:
    if any(block.language_tag not in kinship.NOT_CODE or not block.language_tag for block in code):
        return 1.0
    prose = parts.prose[: words.READ_LIMIT]
    if sum(1 for line in prose.split("\n") if _CODE_LINE.search(line[:200])) >= 3:
        return 0.7  # code, but nothing marks it as such
    return 0.5 if code or _INLINE_CODE.search(prose) else 0.0


def _parses(named: Sequence[tuple[str, Block]]) -> float | None:
    """Return the share of the code, by length, that parses, of the code of which that can be known."""
    good = known = 0
    budget = {False: parsing.MAX_CHARS, True: 2 * parsing.MAX_CHARS_SLOW}  # by whether its parser is a slow one
    for name, block in named:
        is_slow = parsing.limit(name) == parsing.MAX_CHARS_SLOW
        budget[is_slow] -= len(block.code)
        result = parsing.parses(name, block.code) if budget[is_slow] >= 0 else None
        if result is not None:
            known += len(block.code)
            good += len(block.code) if result else 0
    return good / known if known else None


def _complete(question: str, answer: str, parts: Parts) -> float:
    if not answer.strip():
        return 0.0
    asked = {line.strip() for line in question[: words.READ_LIMIT].split("\n")}
    stubs = 0
    for block in parts.blocks[:_BLOCKS_READ]:
        if ">>> " in block.code:  # an interactive session, where "..." is a prompt
            continue
        lines = (line.strip() for line in block.code[: words.READ_LIMIT].split("\n"))
        stubs += sum(1 for line in lines if line not in asked and _is_stub(line))
    score = 1.0 - min(0.6, 0.2 * stubs)
    if any(not block.is_closed for block in parts.blocks):
        score -= 0.4
    elif _is_cut(answer):
        score -= 0.2
    return max(0.0, score)


def _is_stub(line: str) -> bool:
    if line in _BARE_STUBS:
        return True
    if not line.startswith(_COMMENT) or len(line) > _LONGEST_STUB:
        return False
    lowered = line.lower()
    return any(phrase in lowered for phrase in _STUB_WORDS)


def _is_cut(answer: str) -> bool:
    """Return whether the answer's last line is a long one that ends in the middle of a sentence."""
    last = answer.rstrip()[-400:].split("\n")[-1]
    is_item = last.lstrip().startswith(("-", "*", "#", "|", "+", "http")) or last.lstrip()[:1].isdigit()
    return len(last) >= 60 and not is_item and last[-1] not in _GOOD_ENDINGS


def _unrefused(answer: str, has_code: float) -> float:
    if not answer.strip():
        return 0.0
    if not words.refuses(answer):
        return 1.0
    return 0.7 if has_code == 1.0 else 0.0  # "I cannot run it, but here is how" is half an apology, no refusal


def _on_topic(question: str, answer: str) -> float | None:
    asked = words.terms(question, at_most=_QUESTION_TERMS)
    if len(asked) < 3:
        return None
    share = len(asked & words.terms(answer, at_most=_ANSWER_TERMS)) / len(asked)
    return min(1.0, share / _ON_TOPIC_ENOUGH)


def _same_language(question: str, prose: str) -> float | None:
    if words.speaks_of_languages(question):
        return None
    asked, answered = words.script(fences.split(question).prose), words.script(prose)
    if asked is None or answered is None:
        return None
    return 1.0 if asked == answered else 0.0


def _concise(answer: str) -> float:
    if not answer.strip():
        return 0.0
    repeats = max(0.0, words.repeated_share(answer) - _REPEATS_ALLOWED) / (1.0 - _REPEATS_ALLOWED)
    score = (1.0 - repeats) * min(1.0, words.distinct_share(answer) / _DISTINCT_ENOUGH)
    return max(0.0, score - min(0.3, 0.1 * words.filler(answer)))
