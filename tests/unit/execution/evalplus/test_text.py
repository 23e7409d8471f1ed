"""The program in what a model wrote."""

from __future__ import annotations

import time

import pytest

from codearena_plugin.execution.evalplus.problems import Problem
from codearena_plugin.execution.evalplus.text import (
    base_prompt,
    base_stops,
    chat_messages,
    chat_prefill,
    solution_of,
)

PROMPT = 'from typing import List\n\ndef f(n: int) -> int:\n    """ doc """\n'
PROBLEM = Problem("HumanEval/0", PROMPT, "f", "", (), ())
MBPP = Problem("Mbpp/2", '"""\nWrite f.\nassert f(1) == 1\n"""\n', "f", "", (), ())


def chat(text: str) -> str:
    return solution_of(PROBLEM, text, style="chat").strip()


def test_a_decorated_function_keeps_its_decorator_and_imports() -> None:
    code = "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f(n):\n    return n"
    assert chat(f"Sure!\n```python\n{code}\n```\nDone.") == code


def test_an_answer_that_was_begun_for_the_model_starts_inside_a_block() -> None:
    assert chat_prefill(PROBLEM).endswith("```python\n")
    assert chat("def f(n):\n    return n\n```\nIt's done (see above.") == "def f(n):\n    return n"
    assert chat("def f(n):\n    return n\n") == "def f(n):\n    return n"


def test_one_line_is_a_program() -> None:
    assert chat("```python\ndef f(n): return n + 1\n```") == "def f(n): return n + 1"


def test_what_would_run_beside_the_program_is_left_out() -> None:
    code = (
        "import sys\nsys.setrecursionlimit(5000)\nTABLE = [1]\nfor i in range(3):\n    TABLE.append(i)\n"
        "def f(n):\n    return n"
    )
    rest = "\nassert f(1) == 2\nprint(f(3))\nresult = f(4)\nf(5)\nif __name__ == '__main__':\n    print(f(2))\n"
    assert chat(f"```python\n{code}{rest}```") == code


def test_helpers_of_other_blocks_come_first() -> None:
    text = "A helper:\n```python\ndef helper(n):\n    return n\n```\nthen\n"
    text += "```python\ndef f(n):\n    return helper(n)\n```\n"
    found = chat(text + "Try it:\n```python\nprint(f(3))\n```")
    assert found == "def helper(n):\n    return n\n\n\ndef f(n):\n    return helper(n)"


def test_of_two_functions_of_a_name_the_first_is_taken_and_of_two_blocks_the_longer() -> None:
    assert chat("```python\ndef f(n):\n    return 1\ndef f(n):\n    return 2\n```") == "def f(n):\n    return 1"
    short, long = "def f(n):\n    return 1", "def f(n):\n    n += 1\n    return n"
    assert chat(f"```python\n{short}\n```\nbetter:\n```python\n{long}\n```") == long


def test_a_prompt_that_is_repeated_is_no_function() -> None:
    whole = "def f(n):\n    return n"
    assert chat(f'def f(n):\n    """ doc """\n\n{whole}\n') == whole
    assert chat('```python\ndef f(n):\n    """ doc """\n```') == 'def f(n):\n    """ doc """'


def test_prose_around_code_without_a_fence_is_not_code() -> None:
    text = "I'll do it (like so:\n\ndef f(n):\n    return '''\nx'''\n\nThat's it, isn't it?\n"
    assert chat(text) == "def f(n):\n    return '''\nx'''"


def test_a_block_that_was_cut_off_keeps_what_parses() -> None:
    text = (
        "```python\nimport math\n\ndef helper(n):\n    return n\n\ndef f(n):\n    x = helper(n)\n    return math.floor("
    )
    assert chat(text) == "import math\ndef helper(n):\n    return n\ndef f(n):\n    x = helper(n)"


def test_a_fence_inside_a_docstring_does_not_end_the_program() -> None:
    code = 'def f(n):\n    """Doc.\n    ```\n    f(1)\n    ```\n    """\n    return n'
    assert chat(f"Here:\n```python\n{code}\n```\nDone.") == code
    assert chat(f"{code}\n```\n") == code


def test_what_is_defined_under_a_condition_counts() -> None:
    helper = "try:\n    from x import g\nexcept ImportError:\n    def g(n):\n        return n"
    program = "def f(n):\n    return g(n)"
    assert chat(f"```python\n{helper}\n```\nand\n```python\n{program}\n```") == f"{helper}\n\n\n{program}"
    assert chat("```python\nif True:\n    def f(n):\n        return n\n```").startswith("if True:")


def test_thinking_aloud_is_no_answer() -> None:
    assert chat(
        "<think>\n```python\ndef f(n):\n    return 0\n```\n</think>\n```python\ndef f(n):\n    return 1\n```"
    ) == ("def f(n):\n    return 1")


@pytest.mark.parametrize("text", ["", "I cannot do that.", "```python\n```", "```\nx = (\n```"])
def test_where_there_is_no_program_the_text_itself_is_run_and_fails(text: str) -> None:
    assert solution_of(PROBLEM, text, style="chat") == text


def test_a_completion_ends_where_the_next_definition_begins() -> None:
    text = "    y = [\n1,\n2]\n    return n\n\ndef g():\n    pass\nprint(f(1))\n"
    wanted = 'from typing import List\ndef f(n: int) -> int:\n    """ doc """\n    y = [\n1,\n2]\n    return n\n'
    assert solution_of(PROBLEM, text, style="base") == wanted
    assert solution_of(PROBLEM, "    return n +", style="base").startswith("from typing import List\ndef f")
    assert "\ndef " in base_stops("humaneval")
    assert "\ndef " not in base_stops("mbpp")


def test_a_completion_of_mbpp_keeps_its_imports_and_helpers() -> None:
    text = 'import math\ndef g(n):\n    return n\ndef f(n):\n    return g(n)\n"""\nWrite another.\n'
    assert solution_of(MBPP, text, style="base") == (
        "import math\ndef g(n):\n    return n\ndef f(n):\n    return g(n)\n"
    )


def test_the_question_is_the_prompt_in_a_block() -> None:
    [turn] = chat_messages(PROBLEM)
    assert turn.role == "user"
    assert turn.content.endswith(f"```\n{PROMPT.strip()}\n```\n")
    assert base_prompt(PROBLEM) == f"{PROMPT.strip()}\n"


def test_time_is_linear_in_the_text() -> None:
    """EvalPlus' own way needs 18 s for 1,200 lines: it parses every range of lines."""
    code = "def f(n):\n" + "    n = n\n" * 1200 + "    return n\n"
    began = time.process_time()
    found = chat("It's (a step.\n" * 12000 + f"```python\n{code}```\n" + "def broken(:\n" * 200)
    assert found == code.strip()
    assert time.process_time() - began < 10
