"""The clients that ``bench_judging.py`` measures, and what it gives them; run as a program, one of them.

``python judging_clients.py NAME WORK URL CONCURRENCY`` runs one client on the files in WORK and prints what it did.
Every client imports what it needs by itself, so that none pays for another.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

LABEL = re.compile(r"\[\[([AB<>=]+)\]\]")


def make_texts(prompts: int) -> list[dict[str, str]]:
    """Return invented prompts with two answers each, of the sizes of real ones: 3 to 6 kB, half prose, half code."""
    import random

    draw = random.Random(397)
    words = ("list", "returns", "index", "when", "parse", "buffer", "key", "node", "of", "a", "is", "empty", "then")

    def answer() -> str:
        lines, size, wanted = [], 0, draw.randint(3000, 6000)
        while size < wanted:
            line = " ".join(draw.choices(words, k=draw.randint(3, 14)))
            lines.append(line if len(lines) % 40 < 20 else f"    {line.replace(' ', '_', 1)} = [{len(lines)}, '\"']")
            size += len(lines[-1]) + 1
        return "\n".join(lines)

    return [
        {"id": f"bench-{n}", "question": f"Task {n}: " + answer()[:400], "baseline": answer(), "answer": answer()}
        for n in range(prompts)
    ]


def our_plans(work: Path, url: str, concurrency: int) -> tuple[list[Any], Any]:
    """Return the games and settings as a run of the package has them."""
    from codearena_plugin.judging.plan import plan_games
    from codearena_plugin.judging.settings import resolve_settings
    from codearena_plugin.records import Answer, Message, Prompt

    options = {
        "judge_base_url": url,
        "judge_model": "bench",
        "judge_concurrency": concurrency,
        "judge_store": str(work / "replies.sqlite"),
    }
    settings = resolve_settings(options, environ={})
    texts = json.loads((work / "texts.json").read_text())
    prompts = [Prompt(t["id"], (Message("user", t["question"]),), baselines={"base": t["baseline"]}) for t in texts]
    answers = {t["id"]: Answer(t["id"], "bench", t["answer"]) for t in texts}
    return plan_games(prompts, "base", answers, settings), settings


def prepare(work: Path, prompts: int) -> None:
    """Write the texts, and the request bodies that plain clients send: those of our own plans."""
    (work / "texts.json").write_text(json.dumps(make_texts(prompts)))
    plans, settings = our_plans(work, "http://127.0.0.1:9/v1", 1)
    with (work / "requests.jsonl").open("w") as file:
        for plan in plans:
            messages = [{"role": m.role, "content": m.content} for m in plan.request.messages]
            file.write(json.dumps({"model": "bench", "messages": messages, **settings.sampling}) + "\n")


def requests_of(work: Path) -> list[dict[str, Any]]:
    """Return the request bodies."""
    with (work / "requests.jsonl").open() as file:
        return [json.loads(line) for line in file]


def run_engine(work: Path, url: str, concurrency: int) -> dict[str, Any]:
    """Plan, ask, keep, read: what ``codearena judge`` and every harness do. The store decides what is asked."""
    from codearena_plugin.judging.play import open_backend, play

    plans, settings = our_plans(work, url, concurrency)
    open_backend(settings)  # imports its HTTP client, as a run's preflight does; no client's imports are in its loop
    began = time.perf_counter()
    played = play(plans, settings)
    return {
        "loop_s": time.perf_counter() - began,
        "labels": sum(game.verdict.status == "scored" for game in played.games),
    }


def run_threads(work: Path, url: str, concurrency: int) -> dict[str, Any]:
    """One connection a thread, one request after the other, nothing kept: the plainest client that is parallel."""
    import http.client
    import queue
    import threading
    from urllib.parse import urlsplit

    todo: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    for request in requests_of(work):
        todo.put(request)
    labels: list[str] = []
    at = urlsplit(url)

    def worker() -> None:
        connection = http.client.HTTPConnection(str(at.hostname), at.port)
        while True:
            try:
                request = todo.get_nowait()
            except queue.Empty:
                return connection.close()
            body = json.dumps(request).encode()
            connection.request("POST", f"{at.path}/chat/completions", body, {"Content-Type": "application/json"})
            reply = json.loads(connection.getresponse().read())
            labels.extend(LABEL.findall(reply["choices"][0]["message"]["content"]))

    threads = [threading.Thread(target=worker) for _ in range(concurrency)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"loop_s": time.perf_counter() - began, "labels": len(labels)}


def run_openai(work: Path, url: str, concurrency: int) -> dict[str, Any]:
    """One shared ``AsyncOpenAI`` behind a semaphore, nothing kept."""
    import asyncio

    import openai

    requests = requests_of(work)

    async def ask_all() -> list[str]:
        places = asyncio.Semaphore(concurrency)
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

            async def ask(request: dict[str, Any]) -> str:
                async with places:
                    reply = await client.chat.completions.create(**request)
                return "".join(LABEL.findall(reply.choices[0].message.content or ""))

            return await asyncio.gather(*map(ask, requests))

    began = time.perf_counter()
    labels = asyncio.run(ask_all())
    return {"loop_s": time.perf_counter() - began, "labels": sum(map(bool, labels))}


if __name__ == "__main__":
    _, name, work_folder, argument, *more = sys.argv
    if name == "prepare":
        prepare(Path(work_folder), int(argument))
    else:
        run = {"engine": run_engine, "threads": run_threads, "openai": run_openai}[name]
        print(json.dumps(run(Path(work_folder), argument, int(more[0]))))
