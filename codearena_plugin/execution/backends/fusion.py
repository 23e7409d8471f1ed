"""A SandboxFusion service over HTTP: runs a program by its language, elsewhere.

The service (github.com/bytedance/SandboxFusion) takes a program and the name of its language, not a command. A job is
therefore sent if its only step is the sandbox's Python, or if it names its language and its main file; every other
job is "lost" with the reason. Whatever goes wrong between us and the service is "lost" too, never a verdict.

Three habits of the service to know: it limits time by the wall clock alone; it reads at most 1 MiB of each output
stream, once, after the end; and its default configuration (``isolation: none``) isolates nothing.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.sandbox import MIB, Ending, Finished, Job, Limits, Probe, SandboxOptions, Step

NAME = "sandbox-fusion"
LANGUAGES: Mapping[str, str] = {
    "Bash": "bash",
    "C#": "csharp",
    "C++": "cpp",
    "CUDA": "cuda",
    "Go": "go",
    "Java": "java",
    "JavaScript": "nodejs",
    "Julia": "julia",
    "Kotlin": "kotlin_script",
    "Lua": "lua",
    "PHP": "php",
    "Perl": "perl",
    "Python": "python",
    "R": "R",
    "Racket": "racket",
    "Ruby": "ruby",
    "Rust": "rust",
    "Scala": "scala",
    "Swift": "swift",
    "TypeScript": "typescript",
    "Verilog": "verilog",
}
"""Our canonical name -> the service's; what it does not run as we would (SQL without SQLite, C as C++) is left out."""
NOTICE = (
    "code was run by a SandboxFusion service; whether that isolates is the service's affair (by default it does not)"
)
_LIMITED_BY_ADDRESS_SPACE = frozenset(("bash", "cpp", "lua", "perl", "php", "python", "ruby"))
"""The service limits memory by RLIMIT_AS, which managed run times cannot live with at any sensible value."""
_PROBE_S = 2.0
_SLACK_S = 30.0
_MOST_JSON_OVERHEAD = 6  # bytes of JSON for one byte of output, where all of it is escaped
_LAUNCHER = """\
import os, runpy, sys
sys.path.insert(0, os.getcwd())
sys.argv = {argv!r}
os.environ.update({env!r})
{call}
"""


class _LostError(Exception):
    """The service gave no usable answer; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class _Request:
    """What one job is in the service's words."""

    body: Mapping[str, Any]
    wall_s: float
    limits: tuple[Limits, ...]


class FusionExecutor:
    """Offers the service that ``SandboxOptions.url`` names."""

    def probe(self, options: SandboxOptions) -> Probe:
        """Ask the service for 6 times 7, if a URL is set."""
        if not options.url:
            return Probe(False, "no URL of a service is set (codearena_sandbox_url, CODEARENA_SANDBOX_URL)")
        try:
            url = checked_url(options.url)
            began = time.monotonic()
            reply = _post(url, {"code": "print(6 * 7)", "language": "python", "run_timeout": _PROBE_S}, _PROBE_S, MIB)
            answered = _outputs(reply.get("run_result"))[0].strip() == b"42"
        except (ConfigError, _LostError) as exc:
            return Probe(False, str(exc).rstrip("."))
        if not answered:
            return Probe(False, f"{shown_url(url)} answers, and does not run Python: {_said(reply)}")
        took_ms = 1000 * (time.monotonic() - began)
        return Probe(True, f"{shown_url(url)} ran Python in {took_ms:.0f} ms; whether it isolates is its own affair")

    def open(self, options: SandboxOptions) -> FusionSandbox:
        """Return a client of the service; nothing is sent yet.

        Raises:
            ConfigError: no URL is set, or it is not one of a service.
        """
        if not options.url:
            msg = (
                "The sandbox 'sandbox-fusion' needs the URL of a service: set CODEARENA_SANDBOX_URL to one such as "
                "http://127.0.0.1:8080."
            )
            raise ConfigError(msg)
        return FusionSandbox(checked_url(options.url), options.modules)


class FusionSandbox:
    """One service; each job is one request, and nothing is kept between two."""

    name = NAME
    is_isolated = False

    def __init__(self, url: SplitResult, modules: Mapping[str, str]) -> None:
        self._url = url
        self._modules = {f"{name}.py": source.encode("utf-8") for name, source in modules.items()}
        # no URL in it: it goes into every output, and with the evidence to a judge
        self.notice = NOTICE

    def __enter__(self) -> FusionSandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open between two jobs."""

    def run(self, job: Job) -> Finished:
        """Send a job and wait for its end."""
        try:
            request = _request(job, self._modules)
            # never less than what the service itself may send, or a flood of output would be nobody's verdict
            most = sum(_MOST_JSON_OVERHEAD * 2 * max(limits.output_bytes, MIB) for limits in request.limits)
            most += 2 * len(job.returns) * request.limits[-1].output_bytes + MIB
            reply = _post(self._url, request.body, request.wall_s + _SLACK_S, most)
            endings = _endings(reply, request.limits)
            return Finished(endings, _files(reply, job.returns, request.limits[-1].output_bytes))
        except _LostError as exc:
            return Finished((Ending("lost", problem=str(exc)),))


def checked_url(url: str) -> SplitResult:
    """Return the parts of the URL of a service.

    Raises:
        ConfigError: it is no plain http(s) URL.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable, parts = False, urlsplit("")
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        msg = (
            f"sandbox_url={shown_url(parts)!r} is no URL of a SandboxFusion service: expected http(s)://HOST[:PORT], "
            "without user, password or query."
        )
        raise ConfigError(msg)
    return parts


def shown_url(parts: SplitResult) -> str:
    """Return the URL without what may be secret in it."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _request(job: Job, modules: Mapping[str, bytes]) -> _Request:
    """Return a job in the service's words; refuse what it has none for."""
    if job.profile != "strict":
        msg = f"a SandboxFusion service runs no {job.profile}"
        raise _LostError(msg)
    first, last = job.steps[0], job.steps[-1]
    if len(job.steps) == 1 and first.argv[0] == "python":
        language, code = "python", _launcher(first)
        files = {**modules, **job.files}
    elif (theirs := LANGUAGES.get(job.language or "")) and job.main is not None and len(job.steps) <= 2:
        language, code = theirs, _text(job.files[job.main], job.main)
        files = {name: content for name, content in job.files.items() if name != job.main}
    else:
        what = f"{job.language} " if job.language else ""
        msg = f"a SandboxFusion service runs programs by their language, and has no way to run {what}{first.argv[0]!r}"
        raise _LostError(msg)
    body = {
        "code": code,
        "language": language,
        "stdin": _text(last.stdin, "standard input"),
        "files": {name: base64.b64encode(content).decode("ascii") for name, content in files.items()},
        "fetch_files": list(job.returns),
        "compile_timeout": first.limits.wall_s,
        "run_timeout": last.limits.wall_s,
        "memory_limit_MB": max(1, last.limits.memory_bytes // MIB) if language in _LIMITED_BY_ADDRESS_SPACE else -1,
    }
    # a service may compile where we have one step, so time is allowed for both
    return _Request(body, first.limits.wall_s + last.limits.wall_s, tuple(step.limits for step in job.steps))


def _launcher(step: Step) -> str:
    """Return a program that does what ``python ARGUMENTS…`` does, for a service that takes no arguments."""
    arguments = step.argv[1:]
    if not arguments or (arguments[0].startswith("-") and (arguments[0] not in {"-m", "-c"} or not arguments[1:])):
        msg = f"a SandboxFusion service cannot run {' '.join(step.argv)!r}: expected python FILE, -m NAME or -c CODE"
        raise _LostError(msg)
    if arguments[0] == "-m":
        argv = list(arguments[1:])
        call = f"runpy.run_module({arguments[1]!r}, run_name='__main__', alter_sys=True)"
    elif arguments[0] == "-c":
        argv = ["-c", *arguments[2:]]
        call = f"exec(compile({arguments[1]!r}, '<string>', 'exec'), {{'__name__': '__main__'}})"
    else:
        argv = list(arguments)
        call = f"runpy.run_path({arguments[0]!r}, run_name='__main__')"
    return _LAUNCHER.format(argv=argv, env=dict(step.env), call=call)


def _text(content: bytes, what: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        msg = f"a SandboxFusion service takes text only, and {what} is not UTF-8"
        raise _LostError(msg) from None


def _post(url: SplitResult, body: Mapping[str, Any], timeout_s: float, most: int) -> Mapping[str, Any]:
    """Return the service's answer, of at most ``most`` bytes, within ``timeout_s``. Follows no redirect."""
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    until = time.monotonic() + timeout_s
    connection = connect(url.hostname or "", url.port, timeout=timeout_s)
    where = shown_url(url)
    try:
        content = json.dumps(body).encode("ascii")
        path = url.path.rstrip("/") + "/run_code"
        connection.request("POST", path, content, {"Content-Type": "application/json", "Accept": "application/json"})
        response = connection.getresponse()
        text = _bounded(connection, response, until, most)
    except (OSError, http.client.HTTPException) as exc:
        msg = f"{where} cannot be asked: {type(exc).__name__}: {exc}"
        raise _LostError(" ".join(msg.split())) from exc
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        msg = f"{where} answered with HTTP status {response.status} {response.reason}"
        raise _LostError(msg)
    try:
        reply = json.loads(text)
    except ValueError:
        reply = None
    if not isinstance(reply, dict) or reply.get("status") not in {"Success", "Failed", "SandboxError"}:
        msg = f"{where} gave no answer of a SandboxFusion service: {text[:80]!r}"
        raise _LostError(msg)
    return reply


def _bounded(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse, until: float, most: int
) -> bytes:
    """Return the body. The socket's own timeout is per read, so a drip of bytes could go on for ever."""
    content = bytearray()
    while len(content) <= most:
        left_s = until - time.monotonic()
        if left_s <= 0:
            msg = "no whole answer in time"
            raise TimeoutError(msg)
        if connection.sock is not None:
            connection.sock.settimeout(left_s)
        piece = response.read1(64 * 1024)
        if not piece:
            return bytes(content)
        content += piece
    msg = f"an answer of more than {most} bytes"
    raise http.client.HTTPException(msg)


def _endings(reply: Mapping[str, Any], limits: Sequence[Limits]) -> tuple[Ending, ...]:
    """Return one ending for each of our steps that was started.

    The service compiles where its language needs it, which need not be where we do.
    """
    if reply["status"] == "SandboxError":
        msg = f"the service failed: {_said(reply)}"
        raise _LostError(msg)
    compiled, ran = reply.get("compile_result"), reply.get("run_result")
    if compiled is None and ran is None:
        msg = "the service says neither how the program was compiled nor how it ran"
        raise _LostError(msg)
    found = [_ending(result, of) for result, of in ((compiled, limits[0]), (ran, limits[-1])) if result is not None]
    if len(limits) == 1:
        return (found[-1],)
    if compiled is None:
        if not found[-1].is_success:
            msg = "the service compiles and runs this language in one, and one of the two failed"
            raise _LostError(msg)
        return (Ending("exited", exit_code=0), found[-1])
    return tuple(found)


def _ending(result: object, limits: Limits) -> Ending:
    said = result if isinstance(result, dict) else {}
    stdout, stderr = _outputs(said)
    took, code = said.get("execution_time"), said.get("return_code")
    wall_s = float(took) if isinstance(took, (int, float)) else 0.0
    most = limits.output_bytes
    if said.get("status") == "TimeLimitExceeded":
        return Ending("timeout", stdout=stdout[:most], stderr=stderr[:most], wall_s=wall_s)
    if said.get("status") != "Finished" or not isinstance(code, int):
        msg = f"the service gave an ending that is none: {str(result)[:120]!r}"
        raise _LostError(msg)
    if len(stdout) > most or len(stderr) > most:
        return Ending("output", stdout=stdout[:most], stderr=stderr[:most], wall_s=wall_s)
    if code < 0:
        return Ending("signalled", signal=-code, stdout=stdout, stderr=stderr, wall_s=wall_s)
    return Ending("exited", exit_code=code, stdout=stdout, stderr=stderr, wall_s=wall_s)


def _outputs(result: object) -> tuple[bytes, bytes]:
    """Return both output streams of one result, of whatever form it came in."""
    found = result if isinstance(result, dict) else {}
    stdout, stderr = (found.get(key) for key in ("stdout", "stderr"))
    return tuple(  # type: ignore[return-value]
        text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b"" for text in (stdout, stderr)
    )


def _files(reply: Mapping[str, Any], wanted: Sequence[str], most: int) -> dict[str, bytes]:
    """Return the files that were asked for, and no other that the service may send."""
    sent = reply.get("files")
    found: dict[str, bytes] = {}
    for name in wanted:
        text = sent.get(name) if isinstance(sent, dict) else None
        if not isinstance(text, str):
            continue
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(content) <= most:
            found[name] = content
    return found


def _said(reply: Mapping[str, Any]) -> str:
    text = reply.get("message") or _outputs(reply.get("run_result"))[1].decode("utf-8", "replace")
    return " ".join(str(text).split())[:200] or f"status {reply.get('status')}"


executor = FusionExecutor()
