"""Samples that would rather pass than be right: every one fails, none hangs the run, and the next is unaffected."""

from __future__ import annotations

from pathlib import Path

import pytest
from evalplus_small import checked, sandbox_or_skip, small

from codearena_plugin.execution.evalplus import engine

HOSTILE = {
    "an answer that equals everything": """
class Same:
    def __eq__(self, other): return True
    __hash__ = None
def total(numbers): return Same()
""",
    "a number that equals everything": """
class Same(int):
    def __eq__(self, other): return True
    def __hash__(self): return 0
def total(numbers): return Same(3)
""",
    "a list of such": """
class Same(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
def total(numbers): return [Same(3)]
""",
    "a metaclass that lies about equality": """
class Meta(type):
    __eq__ = int.__eq__
    def __getattribute__(cls, name):
        return int.__eq__ if name == '__eq__' else type.__getattribute__(cls, name)
    __hash__ = type.__hash__
class Same(int, metaclass=Meta):
    def __eq__(self, other): return True
def total(numbers): return Same(3)
""",
    "a walk over the frames": """
import sys
def total(numbers):
    frame = sys._getframe()
    while frame:
        for name in list(frame.f_locals):
            if name in ('stat', 'details', 'progress', 'expected', 'frame_of'): frame.f_locals[name] = True
        frame = frame.f_back
    return 0
""",
    "the driver, patched": """
import sys, gc
def total(numbers):
    for module in list(sys.modules.values()):
        if hasattr(module, 'frame_of'): module.frame_of = lambda value: (b'e', b'')
    for thing in gc.get_objects():
        if type(thing).__name__ == 'Runner': thing.shape, thing.closely = 'any', False
    return 0
""",
    "ends of parts, written to the channel": """
import os
for fd in range(3, 64):
    try: os.write(fd, b'e\\0\\0\\0\\0' * 2)
    except OSError: pass
def total(numbers): return 0
""",
    "an end with success": "import os\ndef total(numbers): os._exit(0)\n",
    "an end while it is loaded": "import os\nos._exit(0)\n",
    "SystemExit": "import sys\ndef total(numbers): sys.exit(0)\n",
    "KeyboardInterrupt": "def total(numbers): raise KeyboardInterrupt\n",
    "a closed channel": "import os\nos.closerange(0, 256)\ndef total(numbers): return 0\n",
    "a signal to itself": "import os\ndef total(numbers): os.kill(os.getpid(), 9)\n",
    "a signal to its parent": "import os\ndef total(numbers):\n    os.kill(os.getppid(), 9)\n    return 0\n",
    "deep recursion": "import sys\nsys.setrecursionlimit(10**6)\ndef total(numbers): return total(numbers)\n",
    "deep nesting": "def total(numbers):\n    x = []\n    for _ in range(10**5): x = [x]\n    return x\n",
    "a list in itself": "def total(numbers):\n    x = []\n    x.append(x)\n    return x\n",
    "a flood of output": "def total(numbers):\n    for _ in range(10**5): print('x' * 100)\n    return 0\n",
    "a flood on the channel": """
import os
def total(numbers):
    for fd in range(3, 16):
        try:
            for _ in range(1000): os.write(fd, b'v' * 65536)
        except OSError: pass
    return 0
""",
    "frames of absurd length": """
import os
for fd in range(3, 64):
    try: os.write(fd, b'v\\xff\\xff\\xff\\xff')
    except OSError: pass
def total(numbers): return 0
""",
    "a huge number": "def total(numbers): return 1 << 10**8\n",
    "one long operation": "def total(numbers): return 7 ** (10 ** 9)\n",
    "an endless loop": "def total(numbers):\n    while True: pass\n",
    "a loop that swallows exceptions": """
def total(numbers):
    while True:
        try:
            while True: pass
        except BaseException: pass
""",
    "no timer": """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
def total(numbers):
    while True: pass
""",
    "sleep": "import time\ndef total(numbers): time.sleep(10**6)\n",
    "a thread that stays": """
import threading
def spin():
    while True: pass
def total(numbers):
    threading.Thread(target=spin).start()
    return 0
""",
    "a child that goes on": """
import os
def total(numbers):
    if os.fork() == 0:
        return 4
    return 0
""",
    "no memory": "def total(numbers):\n    x = []\n    while True: x.append(bytearray(1 << 26))\n",
    "a type that raises when it is looked at": """
class Meta(type):
    @property
    def __eq__(cls): raise SystemExit(0)
    __hash__ = type.__hash__
class Odd(int, metaclass=Meta): pass
def total(numbers): return Odd(0)
""",
}
HONEST = "def total(numbers):\n    return sum(numbers)\n"
LATE = (
    *("deep recursion", "one long operation", "an endless loop", "a loop that swallows exceptions", "no timer"),
    *("sleep", "no memory"),
)
"""They end at a limit; each is a test of its own, for what that takes."""


@pytest.fixture
def small_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path / "home"))
    for name, seconds in {"FIRST_S": 0.3, "LEAST_S": 0.6, "FIRST_PART_S": 1.0, "PART_S": 1.0}.items():
        monkeypatch.setattr(engine, name, seconds)
    monkeypatch.setattr(engine, "_LOADING_S", 1.0)


@pytest.mark.usefixtures("small_limits")
def test_no_hostile_sample_passes_and_honest_ones_beside_them_do(tmp_path: Path) -> None:
    options = sandbox_or_skip()
    quick = [name for name in HOSTILE if name not in LATE]
    programs = [("HumanEval/0", text) for name in quick for text in (HOSTILE[name], HONEST)]
    found = checked(small(tmp_path), options, *programs)
    hostile, honest = found[::2], found[1::2]
    said = {name: (one.base, one.plus, one.why) for name, one in zip(quick, hostile, strict=True)}
    assert {name: one for name, one in said.items() if one[0] != "fail" or one[1] != "fail"} == {}
    assert [one.passes_plus for one in honest] == [True] * len(honest)
    assert said["an end with success"][2] == "ended its process (exit code 0)"


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("name", LATE)
def test_what_would_never_end_is_ended(name: str, tmp_path: Path) -> None:
    options = sandbox_or_skip()
    late, honest = checked(small(tmp_path), options, ("HumanEval/0", HOSTILE[name]), ("HumanEval/0", HONEST))
    assert late.base in {"timeout", "fail"}
    assert late.plus in {"timeout", "fail"}
    assert honest.passes_plus
