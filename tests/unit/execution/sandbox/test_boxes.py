"""What a box does with a job: how steps end, what goes in and out, and what is left for the next. No attacks here."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator

import boxes
import pytest

from codearena_plugin.execution.sandbox import Job, Limits, Sandbox, Step
from codearena_plugin.execution.zygote import clean

MIB = 1 << 20


@pytest.fixture(scope="module", params=boxes.ISOLATING)
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with boxes.opened(
        request.param, modules={"trusted": "VALUE = 7\nif __name__ == '__main__':\n    print('run')"}
    ) as it:
        yield it


def test_a_program_ends_with_its_output_and_its_exit_code(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)")
    assert (ending.how, ending.exit_code, ending.stdout, ending.stderr) == ("exited", 3, b"out\n", b"err\n")
    assert not ending.is_success


def test_a_program_sees_its_arguments_its_input_and_a_fresh_main(box: Sandbox) -> None:
    program = (
        "import sys, os\nprint(sys.argv, sys.stdin.read(), __name__, os.path.basename(__file__), os.listdir('.'),"
        "os.getcwd() == os.path.dirname(__file__) == os.environ['HOME'] == sys.path[0])"
    )
    ending = boxes.ending_of(box, program, stdin="ü".encode(), arguments=("a b", "c"))
    assert ending.stdout.decode() == "['main.py', 'a b', 'c'] ü __main__ main.py ['main.py'] True\n"


def test_an_exception_is_told_as_python_tells_it_without_frames_of_ours(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "def f():\n    raise ValueError('no')\nf()")
    lines = ending.stderr.decode().splitlines()
    assert ending.exit_code == 1
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith('/main.py", line 3, in <module>')
    assert lines[-1] == "ValueError: no"
    assert "codearena" not in ending.stderr.decode().replace("codearena-box-", "")


def test_a_syntax_error_names_the_file(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "def f(:\n")
    assert ending.exit_code == 1
    assert b"main.py" in ending.stderr
    assert b"SyntaxError" in ending.stderr


@pytest.mark.parametrize(
    ("program", "code", "out"),
    [
        ("exit()", 0, b""),
        ("raise SystemExit('why')", 1, b""),
        ("import os\nos._exit(5)", 5, b""),
        ("import atexit\natexit.register(print, 'bye')\nprint('hi')", 0, b"hi\nbye\n"),
        ("import threading\nthreading.Timer(0.05, print, ['late']).start()", 0, b"late\n"),
        ("raise KeyboardInterrupt", 130, b""),
    ],
)
def test_a_program_ends_as_in_an_interpreter_of_its_own(box: Sandbox, program: str, code: int, out: bytes) -> None:
    ending = boxes.ending_of(box, program)
    assert (ending.how, ending.exit_code, ending.stdout) == ("exited", code, out)


def test_a_crash_is_told_with_its_signal(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    assert (ending.how, ending.signal, ending.exit_code) == ("signalled", 11, None)


def test_a_busy_loop_runs_into_its_processor_time(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "while True: pass", limits=Limits(cpu_s=0.3))
    assert ending.how == "timeout"
    assert 0.3 < ending.cpu_s < 2


def test_processor_time_is_counted_over_all_processes(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "import os\nos.fork(); os.fork()\nwhile True: pass", limits=Limits(cpu_s=0.4))
    assert ending.how == "timeout"
    assert ending.cpu_s < 3
    assert ending.survivors == 3


def test_processor_time_of_children_that_have_ended_counts_too(box: Sandbox) -> None:
    program = (
        "import os, time\nwhile True:\n  if os.fork() == 0:\n    t = time.process_time()\n"
        "    while time.process_time() - t < 0.05: pass\n    os._exit(0)\n  os.wait()"
    )
    ending = boxes.ending_of(box, program, limits=Limits(cpu_s=0.4))
    assert ending.how == "timeout"
    assert ending.cpu_s < 3


def test_what_sleeps_runs_into_the_clock_on_the_wall(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "import time\nprint('a', flush=True)\ntime.sleep(60)", limits=Limits(wall_s=2))
    assert (ending.how, ending.stdout) == ("timeout", b"a\n")
    assert ending.cpu_s < 2 < ending.wall_s


def test_memory_is_bounded(box: Sandbox) -> None:
    program = "x = []\nwhile True: x.append(b'x' * 1000000)"
    ending = boxes.ending_of(box, program, limits=Limits(memory_bytes=100 * MIB))
    assert ending.how == "memory"
    assert ending.peak_bytes > 100 * MIB


def test_memory_is_counted_over_all_processes(box: Sandbox) -> None:
    program = (
        "import os, time\nfor _ in range(6):\n  if os.fork() == 0:\n    x = b'x' * (40 << 20)\n    time.sleep(20)\n"
        "time.sleep(20)"
    )
    ending = boxes.ending_of(box, program, limits=Limits(memory_bytes=150 * MIB))
    assert ending.how == "memory"


def test_pages_that_processes_share_count_once(box: Sandbox) -> None:
    program = (
        "import os, time\nx = b'x' * (60 << 20)\nfor _ in range(4):\n  if os.fork() == 0:\n    time.sleep(0.3)\n"
        "    os._exit(0)\nfor _ in range(4): os.wait()\nprint('done')"
    )
    ending = boxes.ending_of(box, program, limits=Limits(memory_bytes=200 * MIB))
    assert (ending.how, ending.stdout) == ("exited", b"done\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_is_bounded(box: Sandbox, stream: str) -> None:
    program = f"import sys\nwhile True: sys.{stream}.write('x' * 1000)"
    ending = boxes.ending_of(box, program, limits=Limits(output_bytes=5000))
    assert ending.how == "output"
    assert getattr(ending, stream) == b"x" * 5000


def test_output_of_exactly_the_limit_is_no_offence(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "print('x' * 4999)", limits=Limits(output_bytes=5000))
    assert (ending.how, len(ending.stdout)) == ("exited", 5000)


def test_a_file_is_bounded(box: Sandbox) -> None:
    program = "try:\n  open('f', 'wb').write(b'x' * (3 << 20))\nexcept OSError as exc:\n  print(exc.errno)"
    ending = boxes.ending_of(box, program, limits=Limits(file_bytes=2 * MIB))
    assert ending.stdout == b"27\n"  # EFBIG


def test_the_scratch_directory_is_bounded(box: Sandbox) -> None:
    program = (
        "import time\ntry:\n  for i in range(20): open(str(i), 'wb').write(b'x' * (1 << 20))\nexcept OSError as exc:\n"
        "  print(exc.errno)\ntime.sleep(1)"
    )
    ending = boxes.ending_of(box, program, limits=Limits(file_bytes=2 * MIB))
    assert (ending.how, ending.stdout) in {("exited", b"28\n"), ("output", b"")}  # a full file system, or caught at it


def test_processes_are_bounded(box: Sandbox) -> None:
    program = (
        "import os, time\nn = 0\ntry:\n  while n < 60:\n    if os.fork() == 0: time.sleep(20)\n    n += 1\n"
        "  time.sleep(20)\nexcept OSError: print('refused')"
    )
    ending = boxes.ending_of(box, program, limits=Limits(processes=10))
    # Without root and namespaces the kernel counts the user's other programs, too: a step's own are watched there.
    assert (ending.how, ending.stdout) in {("exited", b"refused\n"), ("signalled", b"")}
    assert 0 < ending.survivors < 60


def test_input_that_is_large_or_never_read_hangs_nobody(box: Sandbox) -> None:
    given = b"x" * (3 * MIB)
    assert boxes.ending_of(box, "import sys\nprint(len(sys.stdin.read()))", stdin=given).stdout == b"3145728\n"
    assert boxes.ending_of(box, "print(1)", stdin=given).stdout == b"1\n"
    assert boxes.ending_of(box, "import sys\nsys.stdin.close()\nprint(1)", stdin=given).how == "exited"


def test_steps_share_the_scratch_directory_until_one_fails(box: Sandbox) -> None:
    steps = tuple(Step(("python", name)) for name in ("a.py", "b.py", "c.py"))
    files = {"a.py": b"open('x', 'w').write('1')", "b.py": b"print(open('x').read())\nexit(2)", "c.py": b"print(3)"}
    finished = box.run(Job(steps, files))
    assert [ending.exit_code for ending in finished.endings] == [0, 2]
    assert finished.last.stdout == b"1\n"


def test_files_come_back_where_they_are_there_regular_and_small(box: Sandbox) -> None:
    program = (
        "import os\nos.makedirs('d/e')\nopen('d/e/f', 'wb').write(b'\\0\\xff')\nopen('big', 'w').write('x' * 2000000)\n"
        "os.symlink('main.py', 'link')\nos.symlink('d', 'dlink')\nos.mkfifo('pipe')\nopen('empty', 'w')"
    )
    up = f"../{clean.WORK}/main.py"
    names = ("d/e/f", "big", "link", "dlink/e/f", "pipe", "empty", "absent", "d", up, "main.py")
    finished = box.run(boxes.python_job(program, returns=names))
    assert finished.last.is_success
    assert {name: len(content) for name, content in finished.files.items() if name != up} == {
        "d/e/f": 2,
        "empty": 0,
        "main.py": len(program),
    }


def test_files_of_a_job_may_lie_in_directories(box: Sandbox) -> None:
    ending = boxes.ending_of(box, "import pack.mod\nprint(pack.mod.X)", files={"pack/mod.py": b"X = 5"})
    assert ending.stdout == b"5\n"


def test_a_trusted_module_can_be_imported_and_run(box: Sandbox) -> None:
    assert boxes.ending_of(box, "import trusted\nprint(trusted.VALUE, trusted.__name__)").stdout == b"7 trusted\n"
    assert box.run(Job((Step(("python", "-m", "trusted")),))).last.stdout == b"run\n"


def test_what_a_program_does_to_a_trusted_module_is_gone_with_it(box: Sandbox) -> None:
    boxes.ending_of(box, "import trusted, builtins\ntrusted.VALUE = 0\nbuiltins.len = None")
    assert boxes.ending_of(box, "import trusted\nprint(trusted.VALUE, len('ab'))").stdout == b"7 2\n"


def test_a_program_cannot_import_this_package_or_what_is_installed_beside_it(box: Sandbox) -> None:
    program = (
        "import importlib.util, sys\nprint([n for n in ('codearena_plugin', 'pluggy', 'numpy', 'pytest') "
        "if importlib.util.find_spec(n)])\nprint([n for n in sys.modules if 'codearena' in n])"
    )
    assert boxes.ending_of(box, program).stdout == b"[]\n[]\n"


def test_hashes_are_the_same_in_every_box(box: Sandbox) -> None:
    first = boxes.ending_of(box, "print(hash('abc'), list({'a', 'b', 'c'}))").stdout
    with boxes.opened(box.name) as other:
        assert boxes.ending_of(other, "print(hash('abc'), list({'a', 'b', 'c'}))").stdout == first


def test_random_numbers_differ_from_run_to_run(box: Sandbox) -> None:
    program = "import random, uuid\nprint(random.random(), uuid.uuid4())"
    assert boxes.ending_of(box, program).stdout != boxes.ending_of(box, program).stdout


def test_the_environment_is_small_and_ours(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "hush")
    step = Step(("python", "main.py"), env={"EXTRA": "1"})
    finished = box.run(Job((step,), {"main.py": b"import os\nprint(sorted(os.environ))"}))
    names = ["EXTRA", "HOME", "LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "TMPDIR"]
    assert finished.last.stdout.decode() == f"{names}\n"


def test_a_command_for_the_fresh_interpreter_works_too(box: Sandbox) -> None:
    assert box.run(Job((Step(("python", "-c", "print(6 * 7)")),))).last.stdout == b"42\n"


def test_a_program_that_is_not_here_is_nobodys_verdict(box: Sandbox) -> None:
    ending = box.run(Job((Step(("no-such-compiler", "x")),))).last
    assert (ending.how, ending.problem) == ("lost", "no-such-compiler cannot be started: No such file or directory")


def test_a_program_of_the_job_that_cannot_be_started_is_the_jobs_affair(box: Sandbox) -> None:
    job = Job((Step(("./absent",)),))
    assert (box.run(job).last.how, box.run(job).last.exit_code) == ("exited", 127)
    job = Job((Step(("./plain.txt",)),), {"plain.txt": b"no program"})
    assert (box.run(job).last.how, box.run(job).last.exit_code) == ("exited", 126)


@pytest.mark.skipif(not shutil.which("gcc"), reason="no gcc here")
def test_a_program_is_compiled_and_run(box: Sandbox) -> None:
    source = b'#include <stdio.h>\nint main(void) { puts("hi"); return 4; }'
    finished = box.run(Job((Step(("gcc", "-o", "a", "a.c")), Step(("./a",))), {"a.c": source}))
    assert [ending.exit_code for ending in finished.endings] == [0, 4], finished.endings[0].stderr
    assert finished.last.stdout == b"hi\n"


def test_the_next_job_finds_nothing_of_the_last(box: Sandbox) -> None:
    leave = (
        "import os, tempfile\nopen('x', 'w')\ntempfile.mkdtemp()\nos.makedirs('locked/in')\nopen('locked/in/f', 'w')\n"
        "os.chmod('locked/in', 0)\nos.chmod('locked', 0)\nos.symlink('/etc', 'away')\n"
        "for _ in range(150):\n  os.mkdir('d')\n  os.chdir('d')"
    )
    assert boxes.ending_of(box, leave).is_success
    look = "import os\nprint(os.listdir('.'), os.listdir(os.environ['TMPDIR']))"
    assert boxes.ending_of(box, look).stdout == b"['main.py'] []\n"


def test_what_is_left_running_is_killed_and_counted(box: Sandbox) -> None:
    program = (
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    time.sleep(60)\n  os._exit(0)\n"
        "os.wait()"
    )
    ending = boxes.ending_of(box, program)
    assert (ending.how, ending.survivors) == ("exited", 1)
    assert ending.wall_s < 20


def test_a_box_with_too_much_in_it_is_replaced(box: Sandbox) -> None:
    fill = "for i in range(6000): open(str(i), 'w').close()"
    assert boxes.ending_of(box, fill).how == "exited"
    assert boxes.ending_of(box, "import os\nprint(os.listdir('.'))").stdout == b"['main.py']\n"


def test_a_box_that_dies_gives_lost_once_and_is_replaced(box: Sandbox) -> None:
    assert boxes.ending_of(box, "print(1)").is_success  # whatever ran before: now a box of this shape is open
    box._box._started.channel.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]  the zygote ends itself
    lost = boxes.ending_of(box, "print(1)")
    assert lost.how == "lost"
    assert lost.problem.startswith("the sandbox ")
    assert boxes.ending_of(box, "print(1)").stdout == b"1\n"
