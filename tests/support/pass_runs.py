"""Two small benchmarks of our own in EvalPlus' format, and answers to them whose verdicts are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.choose import choose
from codearena_plugin.execution.sandbox import SandboxOptions

_HUMANEVAL: list[dict[str, Any]] = [
    {
        "task_id": "HumanEval/900",
        "prompt": 'def add_one(x: int) -> int:\n    """Return x plus one.\n    >>> add_one(1)\n    2\n    """\n',
        "entry_point": "add_one",
        "canonical_solution": "    return x + 1\n",
        "base_input": [[1], [5]],
        "plus_input": [[-3], [0], [10**9]],
    },
    {
        "task_id": "HumanEval/901",
        "prompt": 'def is_even(n: int) -> bool:\n    """True for even n.\n    >>> is_even(2)\n    True\n    """\n',
        "entry_point": "is_even",
        "canonical_solution": "    return n % 2 == 0\n",
        "base_input": [[2], [3]],
        "plus_input": [[0], [-2], [-7]],
    },
    {
        "task_id": "HumanEval/902",
        "prompt": (
            "from typing import List\n\n\ndef joined(words: List[str]) -> str:\n"
            '    """Join words with blanks.\n    >>> joined(["a", "b"])\n    \'a b\'\n    """\n'
        ),
        "entry_point": "joined",
        "canonical_solution": '    return " ".join(words)\n',
        "base_input": [[["a", "b"]], [["x"]]],
        "plus_input": [[[]], [["one", "two", "three"]]],
    },
    {
        "task_id": "HumanEval/903",
        "prompt": 'def halved(x: float) -> float:\n    """Return half of x.\n    >>> halved(3.0)\n    1.5\n    """\n',
        "entry_point": "halved",
        "canonical_solution": "    return x / 2\n",
        "base_input": [[3.0], [1.0]],
        "plus_input": [[0.1], [-2.5]],
        "atol": 1e-6,
    },
]
_MBPP: list[dict[str, Any]] = [
    {
        "task_id": "Mbpp/9001",
        "prompt": '"""\nWrite a function to double a number.\nassert double(2) == 4\n"""\n',
        "entry_point": "double",
        "canonical_solution": "def double(x):\n    return 2 * x\n",
        "base_input": [[2], [0]],
        "plus_input": [[-4], [1000]],
    },
    {
        "task_id": "Mbpp/9002",
        "prompt": '"""\nWrite a function to reverse a text.\nassert reverse("ab") == "ba"\n"""\n',
        "entry_point": "reverse",
        "canonical_solution": "def reverse(text):\n    return text[::-1]\n",
        "base_input": [["ab"], ["a"]],
        "plus_input": [[""], ["abc"]],
    },
]
PROBLEMS = {row["task_id"]: row for row in (*_HUMANEVAL, *_MBPP)}
HUMANEVAL_IDS = tuple(row["task_id"] for row in _HUMANEVAL)

ANSWERS = {  # in the words of a chat model; verdicts below
    "HumanEval/900": "Sure!\n```python\ndef add_one(x):\n    return x + 1\n```\nIt adds one.",
    "HumanEval/901": "```python\ndef is_even(n):\n    return n > 0 and n % 2 == 0\n```",  # not for 0 and -2
    "HumanEval/902": "```python\ndef joined(words):\n    return ''.join(words)\n```",
    "HumanEval/903": "```python\ndef halved(x):\n    return x * 0.5 + 1e-9\n```",  # within the tolerance
    "Mbpp/9001": "```python\ndef double(x):\n    return x + x\n```",
    "Mbpp/9002": "I do not know.",
}
VERDICTS = {
    "HumanEval/900": ("pass", "pass"),
    "HumanEval/901": ("pass", "fail"),
    "HumanEval/902": ("fail", "fail"),
    "HumanEval/903": ("pass", "pass"),
    "Mbpp/9001": ("pass", "pass"),
    "Mbpp/9002": ("fail", "fail"),
}


def write_data(folder: Path) -> Path:
    """Write both benchmarks into a folder, named as EvalPlus names its own; return the folder."""
    more = {"atol": 0, "contract": "", "test": "", "assertion": ""}
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("HumanEvalPlus-v0.1.10.jsonl", _HUMANEVAL), ("MbppPlus-v0.2.0.jsonl", _MBPP)):
        (folder / name).write_text("".join(json.dumps({**more, **row}) + "\n" for row in rows))
    return folder


def write_answers(file: Path, answers: dict[str, str] | None = None) -> Path:
    """Write answers as lines that ``codearena-replay`` reads."""
    rows = ({"id": name, "response": text, "model": "scripted"} for name, text in (answers or ANSWERS).items())
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def sandbox_options() -> dict[str, str]:
    """Return the options of an isolating sandbox where one works here, else of none: this code is our own."""
    try:
        choose(SandboxOptions())
    except ConfigError:
        return {"codearena_sandbox": "unsafe-local"}
    return {}
