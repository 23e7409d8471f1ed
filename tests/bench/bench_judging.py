"""What 397 prompts × 2 games against a judge of 0.5 s cost: our engine and store, beside two plain clients.

Run with ``python tests/bench/bench_judging.py`` (``--help`` lists its options). The judge is the tests' own server, a
new process for every measurement; every client is a new process too, and all send the same requests, byte for byte in
the messages. The rounds interleave the clients, so that a busy machine slows all. Costs are those of the whole client
process, from its start to its end, imports included. No time is asserted: aims are printed as met or missed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

PROGRAM = Path(__file__).with_name("judging_clients.py")
SERVER = Path(__file__).parents[1] / "support" / "judge_server.py"
# for 397 prompts, 0.5 s and 64 places
AIMS = {"ratio": 1.10, "cpu_s": 1.0, "memory_mb": 80.0, "connections": 64}


@dataclass(frozen=True)
class Load:
    """What every client is given."""

    prompts: int
    latency_s: float
    concurrency: int

    @property
    def ideal_s(self) -> float:
        """All calls spread evenly over all places: what the aim refers to."""
        return 2 * self.prompts * self.latency_s / self.concurrency

    @property
    def bound_s(self) -> float:
        """What no client can beat: the place with the most calls makes them one after the other."""
        return math.ceil(2 * self.prompts / self.concurrency) * self.latency_s


@dataclass(frozen=True)
class Cost:
    """What one run of a client cost.

    Attributes:
        loop_s: from the first question to the last verdict.
        process_s, cpu_s, memory_mb: of the client's whole process; memory is the peak of its resident set.
        connections, requests, most_active: what the server saw.
        server_cpu_s: what the server itself needed; far below ``loop_s``, or it was the bottleneck.
    """

    loop_s: float
    process_s: float
    cpu_s: float
    memory_mb: float
    connections: int
    requests: int
    most_active: int
    server_cpu_s: float


@dataclass(frozen=True)
class Client:
    """A row of the table; ``calls`` is how many requests a game must have cost it."""

    name: str
    title: str
    runs: str
    calls: int = 1


CLIENTS = (
    Client("engine", "codearena, cold store", "engine"),
    Client("stored", "codearena, all stored", "engine", calls=0),  # in the store that the row before it filled
    Client("threads", "http.client, a thread each", "threads"),
    Client("openai", "openai.AsyncOpenAI", "openai"),
)


@contextmanager
def judge_server(latency_s: float, usage: dict[str, float]) -> Iterator[str]:
    """Run a new server; its URL is the value, and its CPU seconds are in ``usage`` afterwards."""
    command = [sys.executable, str(SERVER), "--port", "0", "--latency", str(latency_s)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        usage["cpu_s"] = _wait(server)[0]


def _wait(process: subprocess.Popen[str]) -> tuple[float, float]:
    """Wait for a process; return the CPU seconds and peak memory (MB) of it and of the children that it waited for."""
    _, status, used = os.wait4(process.pid, 0)  # peak memory begins at that of this process, which spawned it: small
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6


def child(name: str, work: Path, *arguments: object) -> tuple[str, float, float, float]:
    """Run one client in a process of its own; return what it printed, its wall time, CPU seconds and peak memory."""
    command = [sys.executable, str(PROGRAM), name, str(work), *map(str, arguments)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    cpu_s, memory_mb = _wait(process)
    if process.returncode:
        sys.exit(f"client {name!r} failed with exit code {process.returncode}")
    return printed, time.perf_counter() - began, cpu_s, memory_mb


def measure(client: Client, work: Path, load: Load) -> Cost:
    """Run one client once against a new server, and check that it did the work."""
    usage: dict[str, float] = {}
    with judge_server(load.latency_s, usage) as url:
        printed, process_s, cpu_s, memory_mb = child(client.runs, work, url, load.concurrency)
        with urllib.request.urlopen(f"{url.removesuffix('/v1')}/stats") as response:
            seen = json.load(response)
    done, games = json.loads(printed), 2 * load.prompts
    if done["labels"] != games or seen["requests"] != client.calls * games:
        sys.exit(f"{client.title}: {done['labels']} of {games} games read, {seen['requests']} requests sent")
    return Cost(
        done["loop_s"],
        process_s,
        cpu_s,
        memory_mb,
        seen["connections"],
        seen["requests"],
        seen["most_active"],
        usage["cpu_s"],
    )


def measure_all(clients: Sequence[Client], load: Load, repeats: int, folder: Path | None) -> dict[str, list[Cost]]:
    """Run all clients in turn, ``repeats`` times; every round begins with an empty store."""
    costs: dict[str, list[Cost]] = {client.name: [] for client in clients}
    with tempfile.TemporaryDirectory(dir=folder) as work:
        child("prepare", Path(work), load.prompts)
        for turn in range(repeats):
            for file in Path(work).glob("replies.sqlite*"):
                file.unlink()
            for client in clients:
                costs[client.name].append(measure(client, Path(work), load))
                last = costs[client.name][-1]
                print(
                    f"round {turn + 1}: {client.title}: loop {last.loop_s:.2f} s, CPU {last.cpu_s:.2f} s, "
                    f"load {os.getloadavg()[0]:.1f}",
                    file=sys.stderr,
                )
    return costs


def has_openai() -> bool:
    """Return whether the ``openai`` package is there."""
    return subprocess.run([sys.executable, "-c", "import openai"], check=False, capture_output=True).returncode == 0


def table(costs: dict[str, list[Cost]], load: Load) -> str:
    """Return the table: the median of each column, and its smallest and largest value in brackets."""

    def spread(values: Sequence[float], digits: int) -> str:
        low, high = min(values), max(values)
        return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"

    columns = ("client", "loop s", "× ideal", "process s", "CPU s", "memory MB", "TCP", "requests", "server CPU s")
    rows = [columns]
    for client in CLIENTS:
        if not (runs := costs.get(client.name)):
            continue
        loops = [cost.loop_s for cost in runs]
        rows.append(
            (
                client.title,
                spread(loops, 2),
                f"{statistics.median(loops) / load.ideal_s:.3f}" if client.calls else "-",
                spread([cost.process_s for cost in runs], 2),
                spread([cost.cpu_s for cost in runs], 2),
                spread([cost.memory_mb for cost in runs], 1),
                str(max(cost.connections for cost in runs)),
                str(max(cost.requests for cost in runs)),
                f"{statistics.median(cost.server_cpu_s for cost in runs):.2f}",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    lines = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *line[1:]]) for row, line in zip(rows, lines, strict=True))


def verdicts(costs: dict[str, list[Cost]], load: Load) -> str:
    """Return the aims for our engine, met or missed, by the medians."""
    runs = costs["engine"]
    found = {
        "ratio": statistics.median(cost.loop_s for cost in runs) / load.ideal_s,
        "cpu_s": statistics.median(cost.cpu_s for cost in runs),
        "memory_mb": statistics.median(cost.memory_mb for cost in runs),
        "connections": max(cost.connections for cost in runs),
    }
    said = [
        f"{name} {found[name]:.4g} ≤ {aim:g} {'met' if found[name] <= aim else 'MISSED'}" for name, aim in AIMS.items()
    ]
    return "aims of codearena, cold store: " + ", ".join(said)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=397)
    parser.add_argument("--latency", type=float, default=0.5, help="seconds from a request to its reply")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--ours", action="store_true", help="leave out the clients that it is compared with")
    parser.add_argument("--folder", type=Path, help="where the store lies; a real disk, or its commits cost nothing")
    parser.add_argument("--json", type=Path, help="also write every run to this file")
    args = parser.parse_args()
    if min(args.prompts, args.latency, args.concurrency, args.repeats) <= 0:
        parser.error("prompts, latency, concurrency and repeats must be above 0")
    load = Load(args.prompts, args.latency, args.concurrency)
    wanted = [client for client in CLIENTS if client.runs == "engine" or not args.ours]
    clients = [client for client in wanted if client.name != "openai" or has_openai()]
    costs = measure_all(clients, load, args.repeats, args.folder)
    machine = f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"
    games = f"{load.prompts} prompts × 2 games"
    print(f"{games}, judge latency {load.latency_s:g} s, concurrency {load.concurrency}; {machine}")
    print(f"ideal {load.ideal_s:.2f} s; in whole rounds, which no client can beat, {load.bound_s:.2f} s")
    print(f"medians of {args.repeats} runs (min–max); CPU and memory of the whole client process\n")
    print(table(costs, load))
    if len(clients) < len(wanted):
        print("openai.AsyncOpenAI: not measured, the package is not installed")
    if load == Load(397, 0.5, 64):
        print("\n" + verdicts(costs, load))
    if args.json:
        runs = {name: [asdict(cost) for cost in found] for name, found in costs.items()}
        told = {"load": asdict(load), "ideal_s": load.ideal_s, "bound_s": load.bound_s, "machine": machine}
        args.json.write_text(json.dumps({**told, "aims": AIMS, "clients": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
