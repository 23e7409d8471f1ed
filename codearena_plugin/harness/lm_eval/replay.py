"""The lm-eval model ``codearena-replay``: it gives answers that were generated earlier, elsewhere.

``lm_eval --model codearena-replay --model_args path=ANSWERS.jsonl,model=NAME --tasks codearena`` judges stored answers
on the very path that fresh ones take. lm-eval imports this module, and only when the model is asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NoReturn

from lm_eval.api.model import LM

from codearena_plugin.errors import ConfigError, DataError, unknown_name
from codearena_plugin.harness.lm_eval.exits import plain_errors
from codearena_plugin.prompts.answers import ID_FIELDS, read_answers
from codearena_plugin.prompts.files import read_rows, sha256_of
from codearena_plugin.prompts.suite import Suite, listed
from codearena_plugin.records import Answer, Prompt

OPTIONS = ("path", "model")
_FROM_LM_EVAL = ("batch_size", "max_batch_size", "device", "trust_remote_code")  # it gives them to every model

_log = logging.getLogger("lm_eval.codearena")


class ReplayModel(LM):  # type: ignore[misc]
    """Stored answers as a model; which one belongs to a request is told by the ``id`` of its document."""

    tokenizer_name = "codearena-replay"  # lm-eval puts it into the key of its request cache

    def __init__(self, **options: Any) -> None:
        super().__init__()
        with plain_errors():
            self._file, model = _checked(options)
            self._answers = _read(self._file, model)
            self._sha256 = sha256_of(self._file)

    def generate_until(self, requests: Sequence[Any], **_: Any) -> list[str]:
        """Return the stored answer to each request; repeats of a document get the same one.

        Raises:
            DataError: a document has no ``id``, or the file has no answer to some of them.
        """
        with plain_errors():
            asked = [_doc_id(request) for request in requests]
            self._check(dict.fromkeys(asked), _known_ids(requests))
        for request, prompt_id in zip(requests, asked, strict=True):
            answer = self._answers[prompt_id]  # our task reads what lm-eval has no place for
            request.answered_by, request.finish_reason = answer.model, answer.finish_reason
        return [self._answers[prompt_id].text for prompt_id in asked]

    def _check(self, asked: dict[str, None], known: Collection[str] | None) -> None:
        unknown = [prompt_id for prompt_id in self._answers if known is not None and prompt_id not in known]
        if unknown:
            msg = (
                f"{self._file}: {len(unknown)} answers are to prompts that the suite does not have: {listed(unknown)}; "
                "nothing was judged. Are they answers to another suite?"
            )
            raise DataError(msg)
        missing = [prompt_id for prompt_id in asked if prompt_id not in self._answers]
        if missing:
            msg = (
                f"{self._file}: {len(missing)} of {len(asked)} prompts have no answer: {listed(missing)}; nothing was "
                "judged. Add them (an empty answer is an empty text), or ask fewer prompts with --limit or --samples."
            )
            raise DataError(msg)
        unasked = [prompt_id for prompt_id in self._answers if prompt_id not in asked]
        if unasked:
            _log.warning(
                "%s: %d of %d answers were not asked for (usual under --limit): %s",
                self._file,
                len(unasked),
                len(self._answers),
                listed(unasked),
            )

    def loglikelihood(self, requests: Sequence[Any], **_: Any) -> NoReturn:
        """Refuse: a text that was stored has no probabilities."""
        msg = "codearena-replay has stored texts and no probabilities; it serves tasks with output_type generate_until."
        raise NotImplementedError(msg)

    loglikelihood_rolling = loglikelihood

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Return the conversation as JSON: it is logged with the samples and read by nobody else."""
        return json.dumps(chat_history, ensure_ascii=False)

    def set_cache_hook(self, cache_hook: Any) -> None:
        """Refuse lm-eval's ``--use_cache``: it goes by the prompt, so it would serve the answers of another file."""
        with plain_errors():
            msg = "codearena-replay reads stored answers; --use_cache could mix them with another file's. Leave it out."
            raise ConfigError(msg)

    def get_model_info(self) -> dict[str, Any]:
        """Return what lm-eval records about the model in its results."""
        models = sorted({answer.model for answer in self._answers.values()})
        return {
            "replay_path": str(self._file),
            "replay_sha256": self._sha256,
            "replay_model": ", ".join(models),
            "replay_answers": len(self._answers),
        }


def _checked(options: dict[str, Any]) -> tuple[Path, str | None]:
    for name in options:
        if name not in (*OPTIONS, *_FROM_LM_EVAL):
            raise ConfigError("--model_args: " + unknown_name("option", name, OPTIONS))
    path, model = options.get("path"), options.get("model")
    if not path:
        msg = "codearena-replay needs --model_args path=ANSWERS.jsonl (lines {id, response}, or lm-eval's samples)."
        raise ConfigError(msg)
    return Path(str(path)).expanduser(), None if model is None else str(model)


def _read(file: Path, model: str | None) -> dict[str, Answer]:
    """Return prompt id -> answer for all of the file; which ones are asked for is not known yet."""
    rows = (row.get("doc", row) for _, row in read_rows(file))
    ids = dict.fromkeys(str(row[name]) for row in rows for name in _id_field(row))
    everything = Suite(
        name="answers",
        version="",
        revision="",
        source=str(file),
        fingerprint="",
        baseline="",
        prompts=tuple(Prompt(id=prompt_id, messages=()) for prompt_id in ids),
    )
    return {answer.prompt_id: answer for answer in read_answers(file, everything, model=model, allow_missing=True)}


def _id_field(row: Any) -> list[str]:
    return [name for name in ID_FIELDS if isinstance(row, dict) and name in row][:1]


def _known_ids(requests: Sequence[Any]) -> Collection[str] | None:
    """Return the ids of all prompts of the tasks that ask; ``None`` if one of them does not say."""
    sets = {id(found): found for request in requests if (found := getattr(request, "suite_ids", None)) is not None}
    says = all(getattr(request, "suite_ids", None) is not None for request in requests)
    return frozenset().union(*sets.values()) if sets and says else None


def _doc_id(request: Any) -> str:
    doc = request.doc if isinstance(request.doc, dict) else {}
    if "id" not in doc:
        msg = (
            f"codearena-replay finds answers by the id of a document, and task {request.task_name!r} has none "
            f"(fields: {listed(sorted(doc)) or 'no'}); it serves codearena's own tasks."
        )
        raise DataError(msg)
    return str(doc["id"])
