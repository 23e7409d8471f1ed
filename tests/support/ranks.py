"""One process of several that generate side by side: what lm-eval asks of a data-parallel model, over gloo."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from lm_eval.api.model import LM


class Ranked(LM):
    """A model of one rank; say what it answers in ``answer``."""

    def __init__(self) -> None:
        super().__init__()
        dist.init_process_group("gloo")
        self._rank, self._world_size = dist.get_rank(), dist.get_world_size()
        self._device = torch.device("cpu")

    def answer(self, request: Any) -> str:
        raise NotImplementedError

    def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
        return [self.answer(request) for request in requests]

    def loglikelihood(self, requests: Any, **_: Any) -> Any:
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood

    def all_gather(self, tensor: torch.Tensor) -> torch.Tensor:
        parts = [torch.zeros_like(tensor) for _ in range(self.world_size)]
        dist.all_gather(parts, tensor)
        return torch.stack(parts)

    def gather_object(self, obj: Any, dst: int = 0) -> Any:
        parts = [None] * self.world_size if self.rank == dst else None
        dist.gather_object(obj, parts, dst=dst)
        return parts

    def barrier(self) -> None:
        dist.barrier()

    def leave(self) -> None:
        """End together with the others."""
        dist.barrier()
        dist.destroy_process_group()
