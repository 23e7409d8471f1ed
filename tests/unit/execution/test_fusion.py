"""The client of a SandboxFusion service, against a server that answers as one does."""

from __future__ import annotations

import json
import shutil
import socket
import time

import pytest
from fusion_server import FusionServer

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution import choose
from codearena_plugin.execution.backends import fusion
from codearena_plugin.execution.sandbox import Job, Limits, SandboxOptions, Step

MODULE = "import sys, os\nif __name__ == '__main__':\n    print(sys.argv, sys.stdin.read(), os.environ.get('TINT'))\n"


@pytest.fixture(scope="module")
def service():
    with FusionServer() as server:
        yield server


@pytest.fixture
def scripted():
    with FusionServer() as server:
        yield server


def open_on(server, **options):
    return choose.open_sandbox(SandboxOptions(name="sandbox-fusion", url=server.url, **options))


def run(server, job, **options):
    with open_on(server, **options) as sandbox:
        return sandbox.run(job)


def python(code, *, returns=(), **limits):
    return Job((Step(("python", "main.py"), limits=Limits(**limits)),), {"main.py": code.encode()}, returns=returns)


def answer(**result):
    done = {"status": "Finished", "return_code": 0, "stdout": "", "stderr": "", "execution_time": 0.1, **result}
    return {"status": "Success", "message": "", "compile_result": None, "run_result": done, "files": {}}


def saying(reply, **more):
    return lambda _body: {"body": json.dumps(reply).encode(), **more}


def test_python_runs_there_with_its_input_arguments_files_and_returned_files(service):
    code = "import sys, other\nopen('out.txt', 'w').write(other.X + sys.argv[1])\nprint(sys.stdin.read()[::-1])"
    step = Step(("python", "main.py", "one"), stdin="olé".encode())
    finished = run(service, Job((step,), {"main.py": code.encode(), "other.py": b"X = 'x'"}, returns=("out.txt",)))
    assert finished.last.is_success, finished.last
    assert finished.last.stdout.decode() == "élo\n"
    assert finished.files == {"out.txt": b"xone"}


def test_a_trusted_module_is_sent_along_and_run_by_its_name(service):
    step = Step(("python", "-m", "seven", "7"), stdin=b"in", env={"TINT": "blue"})
    last = run(service, Job((step,)), modules={"seven": MODULE}).last
    assert last.is_success, last
    assert last.stdout.decode().rstrip().endswith("'7'] in blue")


def test_python_dash_c_runs(service):
    assert run(service, Job((Step(("python", "-c", "print(__name__)")),))).last.stdout == b"__main__\n"


def test_an_exit_status_and_what_was_said_come_back(service):
    last = run(service, python("import sys; print('a'); print('b', file=sys.stderr); sys.exit(3)")).last
    assert (last.how, last.exit_code, last.stdout, last.stderr) == ("exited", 3, b"a\n", b"b\n")
    assert last.wall_s > 0


def test_a_signal_is_told_from_an_exit(service):
    last = run(service, python("import os; os.kill(os.getpid(), 11)")).last
    assert (last.how, last.signal) == ("signalled", 11)


def test_what_sleeps_too_long_is_a_timeout(service):
    last = run(service, python("import time; print(1, flush=True); time.sleep(20)", wall_s=2.0)).last
    assert (last.how, last.stdout) == ("timeout", b"1\n")


def test_too_much_output_is_said_to_be_too_much(service):
    last = run(service, python("print('x' * 5000)", output_bytes=1000)).last
    assert (last.how, len(last.stdout)) == ("output", 1000)


@pytest.mark.skipif(not shutil.which("perl"), reason="perl is not here")
def test_another_language_is_run_by_its_name(service):
    job = Job((Step(("perl", "x.pl")),), {"x.pl": b"print 6*7"}, language="Perl", main="x.pl")
    assert run(service, job).last.stdout == b"42"


@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not here")
def test_a_compiled_language_has_an_ending_for_each_step(service):
    steps = (Step(("g++", "x.cpp", "-o", "x")), Step(("./x",), stdin=b"5"))
    good = b"#include <iostream>\nint main(){int n; std::cin >> n; std::cout << n * n; return 4;}"
    finished = run(service, Job(steps, {"x.cpp": good}, language="C++", main="x.cpp"))
    assert [ending.exit_code for ending in finished.endings] == [0, 4]
    assert finished.last.stdout == b"25"
    finished = run(service, Job(steps, {"x.cpp": b"int main({}"}, language="C++", main="x.cpp"))
    assert len(finished.endings) == 1
    assert finished.last.exit_code not in {0, None}
    assert b"error" in finished.last.stderr


def test_where_the_service_compiles_and_runs_in_one_a_failure_is_nobodys(scripted):
    job = Job((Step(("mcs", "x.cs")), Step(("mono", "x.exe"))), {"x.cs": b"class"}, language="C#", main="x.cs")
    scripted.script = saying(answer(stdout="hi"))
    assert [ending.is_success for ending in run_sent(scripted, job).endings] == [True, True]
    scripted.script = saying({**answer(return_code=1), "status": "Failed"})
    assert run_sent(scripted, job).last.how == "lost"


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (Job((Step(("bash", "-n", "x.sh")),), {"x.sh": b"true"}), "no way to run 'bash'"),
        (Job((Step(("gcc", "x.c")),), {"x.c": b""}, language="C", main="x.c"), "no way to run C 'gcc'"),
        (Job((Step(("python", "-V")),)), "expected python FILE"),
        (Job((Step(("python", "x.py"), stdin=b"\xff"),), {"x.py": b""}), "standard input is not UTF-8"),
        (Job((Step(("python", "x.py")),), {"x.py": b""}, profile="browser"), "runs no browser"),
    ],
)
def test_a_job_that_the_service_cannot_be_asked_for_is_lost_with_the_reason_and_never_sent(service, job, why):
    with open_on(service) as sandbox:
        sent = len(service.requests)
        last = sandbox.run(job).last
    assert last.how == "lost"
    assert why in last.problem
    assert len(service.requests) == sent


def run_sent(server, job):
    """Run without the probe, which a server with a script would answer wrongly."""
    return fusion.executor.open(SandboxOptions(url=server.url)).run(job)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"status": 500, "body": b"{}"}, "HTTP status 500"),
        ({"status": 307, "headers": {"Location": "/elsewhere"}, "body": b""}, "HTTP status 307"),
        ({"body": b"<html>"}, "no answer of a SandboxFusion service"),
        ({"body": b"[]"}, "no answer of a SandboxFusion service"),
        ({"body": b'{"status": "Great"}'}, "no answer of a SandboxFusion service"),
        ({"body": json.dumps({"status": "SandboxError", "message": "no\n  dice"}).encode()}, "no dice"),
        ({"body": json.dumps({"status": "Success", "run_result": None}).encode()}, "neither"),
        ({"body": json.dumps({"status": "Success", "run_result": [1]}).encode()}, "an ending that is none"),
        ({"body": json.dumps(answer(return_code="0")).encode()}, "an ending that is none"),
        ({"body": json.dumps(answer(status="Error")).encode()}, "an ending that is none"),
        ({"body": b"x", "headers": {"Content-Length": "100"}}, "no answer of a SandboxFusion service"),
        ({"body": b" " * 30_000_000}, "more than"),
    ],
)
def test_an_answer_that_is_none_is_lost_and_no_verdict(scripted, said, why):
    scripted.script = lambda _body: said
    finished = run_sent(scripted, python("print(1)"))
    assert [ending.how for ending in finished.endings] == ["lost"]
    assert why in finished.last.problem
    assert "\n" not in finished.last.problem
    assert set(scripted.paths) == {"/run_code"}, "a redirect is not followed"


def test_a_service_that_drips_bytes_does_not_hold_us_for_ever(scripted, monkeypatch):
    monkeypatch.setattr(fusion, "_SLACK_S", 0.2)
    scripted.script = lambda _body: {"body": b" " * 1000, "drip_s": 0.05}
    began = time.monotonic()
    last = run_sent(scripted, python("print(1)", wall_s=0.3)).last
    assert last.how == "lost"
    assert "in time" in last.problem
    assert time.monotonic() - began < 25


def test_a_service_that_has_gone_is_lost(scripted):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        sandbox = fusion.executor.open(SandboxOptions(url=f"http://127.0.0.1:{taken.getsockname()[1]}"))
        last = sandbox.run(python("print(1)")).last
    assert last.how == "lost"
    assert "cannot be asked: ConnectionRefusedError" in last.problem


def test_files_that_nobody_asked_for_and_files_too_large_do_not_come_in(scripted):
    files = {"../../evil": "eA==", "a": "eA==", "b": "eHh4eHh4", "c": "???", "d": 7}
    scripted.script = saying({**answer(), "files": files})
    assert run_sent(scripted, python("1", returns=("a", "b", "c", "d"), output_bytes=3)).files == {"a": b"x"}


def test_the_probe_says_what_it_measured_and_that_isolation_is_the_services_affair(service, scripted):
    probe = fusion.executor.probe(SandboxOptions(url=service.url))
    assert probe.works
    assert "ran Python in" in probe.line
    assert "its own affair" in probe.line
    assert "by default it does not" in open_on(service).notice
    assert "127.0.0.1" not in open_on(service).notice, "it goes to judges too"
    assert not open_on(service).is_isolated
    scripted.script = saying(answer(stdout="41"))
    probe = fusion.executor.probe(SandboxOptions(url=scripted.url))
    assert not probe.works
    assert "does not run Python" in probe.line


def test_without_a_url_nothing_is_asked():
    assert "no URL" in fusion.executor.probe(SandboxOptions()).line
    with pytest.raises(ConfigError, match="CODEARENA_SANDBOX_URL"):
        fusion.executor.open(SandboxOptions())


@pytest.mark.parametrize(
    "url",
    ["ftp://host", "host:80", "http://", "http://u:secret@host", "http://h?k=secret", "http://[", "http://h:99999"],
)
def test_a_url_that_is_none_of_a_service_is_refused_without_showing_its_secrets(url):
    with pytest.raises(ConfigError, match="sandbox_url=") as caught:
        fusion.executor.open(SandboxOptions(url=url))
    assert "secret" not in str(caught.value)
    assert "secret" not in fusion.executor.probe(SandboxOptions(url=url)).line


def test_the_url_comes_from_the_environment_and_may_have_a_path(service):
    options = choose.resolve_sandbox(
        {"codearena_sandbox": "sandbox-fusion"}, environ={"CODEARENA_SANDBOX_URL": f"{service.url}/prefix/"}
    )
    with choose.open_sandbox(options) as sandbox:
        assert sandbox.run(python("print(1)")).last.stdout == b"1\n"
    assert service.paths[-1] == "/prefix/run_code"
