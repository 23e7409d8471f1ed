"""The back end: one request in, one reply out. Retries, limits, the store and the parsing are the plugin's."""

import json

from codearena_plugin.judging.asking.request import JudgeRequest
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.records import Reply


class ShortestBackend:
    is_remote = False  # asking costs nothing: no preflight, no store, no budget

    async def ask(self, request: JudgeRequest) -> Reply:
        game = json.loads(request.messages[-1].content)  # the card's prompt format is json
        a, b = len(game["answer_a"]), len(game["answer_b"])
        label = "A=B" if a == b else "A>B" if a < b else "B>A"
        text = f"A has {a} characters, B has {b}.\nMy verdict: [[{label}]]"
        return Reply(text=text, finish_reason="stop", attempts=1)

    async def aclose(self) -> None:
        pass


def create(settings: JudgeSettings) -> ShortestBackend:
    return ShortestBackend()
