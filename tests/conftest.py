"""What all tests share: where reference data lies, and a home of their own for everything that is kept."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import socket
from pathlib import Path
from typing import Any

import hypothesis
import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell's background job ignores Ctrl-C, and so would every program that a test starts and interrupts
    signal.signal(signal.SIGINT, signal.default_int_handler)

for name in (
    *("CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "GITHUB_ACTIONS", "LINES", "NO_COLOR", "PY_COLORS"),
    *("SOURCE_DATE_EPOCH", "TTY_COMPATIBLE", "TTY_INTERACTIVE"),
):  # what is printed must not depend on who started us; some of them are read once, by an import
    os.environ.pop(name, None)
# The same examples in every run, and none too slow for a busy machine; `--hypothesis-profile=default` looks for others.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("repeatable")
ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"
PEERS = ("lm_eval", "torch", "transformers", "datasets", "openai")


def pytest_report_header() -> list[str]:
    """Say which package is tested, the wheel or the tree, and which peers are here."""
    import codearena_plugin

    found = []
    for peer in PEERS:
        try:
            found.append(f"{peer} {importlib.metadata.version(peer)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{peer} absent")
    return [
        f"codearena-plugin {codearena_plugin.__version__} from {Path(codearena_plugin.__file__).parent}",
        ", ".join(found),
    ]


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests away from the user's replies and keys."""
    monkeypatch.setenv("CODEARENA_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("CODEARENA_JUDGE_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEARENA_DATA"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_name_leaves_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer for every resolver outside: there is no such host. Names of this machine are looked up as ever."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in {None, "", "localhost", "0.0.0.0", "::", "::1"} or str(name).startswith("127."):
            return look_up(host, *args, **options)
        str(name).encode("idna")  # the real one refuses impossible names here, with a ValueError
        raise socket.gaierror(socket.EAI_NONAME, f"tests look up no name but this machine's: {name!r}")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def arena_hard() -> Path:
    """Return the directory with 266 real prompts and real answers."""
    path = SHARED / "data" / "arena_hard_code"
    if not path.is_dir():
        pytest.skip("../shared/data/arena_hard_code is not here: reference data of the workplace, not of the project")
    return path


@pytest.fixture
def mini_answers() -> Path:
    """Return the directory of the mini suite's data."""
    from codearena_plugin import paths

    return paths.data_dir("tasks") / "codearena_mini" / "data"
