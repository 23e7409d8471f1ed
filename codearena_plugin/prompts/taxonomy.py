"""The taxonomy: 7 main classes, 40 sub-classes, and the way from a free task-type string to one of them.

The class names are the paper's; the phrases that lead to them (``taxonomy.json``) are ours, because the authors' file
carries no licence. A user who holds that file passes it (``load_mapping``) and then it alone decides.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.errors import DataError, unknown_name
from codearena_plugin.records import Category

UNCLASSIFIED = "unclassified"  # how tables call prompts whose category is None

# file order is table order: the columns of the paper's Table 3
_PHRASES: dict[str, dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("taxonomy.json").read_text(encoding="utf-8")
)

MAIN_CLASSES: tuple[str, ...] = tuple(_PHRASES)
SUB_CLASSES: tuple[Category, ...] = tuple(Category(main, sub) for main, subs in _PHRASES.items() for sub in subs)

_APART = re.compile(r"[\s_-]+")


def classify(task_types: Sequence[str], mapping: Mapping[str, Category] | None = None) -> Category | None:
    """Return the category of the first task type that has one, ``None`` ("unclassified") where none has.

    With the built-in phrases a task type matches as a whole, or else by the longest phrase in it that stands on word
    boundaries (a plural s is overlooked). Ties go to the phrase that comes first in the text.

    Args:
        task_types: free strings as a tagger wrote them, the most important first.
        mapping: normalised task type -> category (``load_mapping``). When it is given only whole task types match and
            the built-in phrases are not consulted, so that classes are exactly those of the mapping's authors.

    >>> classify(["Web-Development"])
    Category(main_class='Specialized Computing Areas', sub_class='Web, Mobile Development')
    >>> classify(["writing haiku in binary", "fixing SQL queries"]).sub_class
    'For Non-Coding Related Inquiry'
    >>> classify(["sort of stuff"]) is None
    True
    """
    find = _by_phrase if mapping is None else mapping.get
    return next((found for kind in task_types if (found := find(normalise(kind))) is not None), None)


def normalise(task_type: str) -> str:
    """Return a task type in the form in which it is looked up: lower case, words one space apart.

    >>> normalise(" Bug_fixing  and-more ")
    'bug fixing and more'
    """
    return _APART.sub(" ", task_type.lower()).strip()


def find_category(main_class: str | None, sub_class: str) -> Category | None:
    """Return the category of a row that names its class itself, ``None`` where the taxonomy has no such class."""
    named = [found for found in SUB_CLASSES if normalise(found.sub_class) == normalise(sub_class)]
    return next(
        (found for found in named if main_class is None or normalise(found.main_class) == normalise(main_class)), None
    )


@functools.cache
def _built_in() -> dict[str, Category]:
    """Return phrase -> category; a class name leads to its class like any phrase of ours."""
    found = {normalise(category.sub_class): category for category in SUB_CLASSES}
    for main, subs in _PHRASES.items():
        for sub, phrases in subs.items():
            found.update((normalise(phrase), Category(main, sub)) for phrase in phrases)
    return found


@functools.lru_cache(maxsize=4096)
def _by_phrase(text: str) -> Category | None:
    known = _built_in()
    if text in known:
        return known[text]
    hits = [(-len(phrase), at, phrase) for phrase in known if (at := _position(phrase, text)) is not None]
    return known[min(hits)[2]] if hits else None


def _position(phrase: str, text: str) -> int | None:
    if phrase not in text:  # most phrases end here, before a regular expression is built
        return None
    found = re.search(rf"(?<![^\W_]){re.escape(phrase)}s?(?![^\W_])", text)
    return found.start() if found else None


def load_mapping(path: str | Path) -> dict[str, Category]:
    """Return the mapping in a file of the authors' own format (``tasktype_to_levels.json``).

    The file holds ``{"raw task type": [[main class, sub-class], ...], ...}``; the first pair of an entry binds, as in
    the published script.

    Returns:
        normalised task type -> category.

    Raises:
        DataError: the file cannot be read, is of another form, names an unknown main class (the tables have a fixed
            order of those), or gives two spellings of one task type different classes.
    """
    file = Path(path).expanduser()
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as exc:
        msg = f"The taxonomy file {str(path)!r} cannot be read: {exc.strerror or exc}."
        raise DataError(msg) from exc
    except (ValueError, RecursionError) as exc:
        msg = f"{path}: not JSON ({exc}); expected an object like tasktype_to_levels.json."
        raise DataError(msg) from exc
    if not isinstance(content, dict) or not content:
        msg = (
            f'{path}: got {type(content).__name__}, expected an object {{"task type": [["main class", "sub-class"]]}}.'
        )
        raise DataError(msg)
    mapping: dict[str, Category] = {}
    for raw, pairs in content.items():
        category = _first_pair(pairs, where=f"{path}: task type {raw!r}")
        if mapping.setdefault(normalise(raw), category) != category:
            msg = f"{path}: task type {raw!r} is there in two spellings with different classes; keep one."
            raise DataError(msg)
    return mapping


def _first_pair(pairs: Any, *, where: str) -> Category:
    match pairs:
        case [[str(main), str(sub), *_], *_] if sub.strip():
            if main not in MAIN_CLASSES:
                msg = f"{where}: {unknown_name('main class', main, MAIN_CLASSES)}"
                raise DataError(msg)
            return Category(main, sub)
    msg = f'{where}: got {str(pairs)[:80]!r}, expected [["main class", "sub-class"], ...].'
    raise DataError(msg)
