"""One process or many: what `torchrun` says about it, and the little that the ranks must agree on."""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Ranks:
    """This process's rank among `count`."""

    rank: int = 0
    count: int = 1
    local: int = 0

    @classmethod
    def from_environment(cls, device_type: str) -> "Ranks":
        """Join the group that `torchrun` describes in the environment; alone where there is none."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            return cls()
        dist.init_process_group("nccl" if device_type == "cuda" else "gloo")
        return cls(int(os.environ["RANK"]), count, int(os.environ["LOCAL_RANK"]))

    def agree(self, *values: float) -> tuple[float, ...]:
        """Rank 0's values, on every rank."""
        if self.count == 1:
            return values
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        shared = torch.tensor(values, dtype=torch.float64, device=device)
        dist.broadcast(shared, 0)
        return tuple(shared.tolist())

    def leave(self) -> None:
        """Leave the group."""
        if self.count > 1:
            dist.destroy_process_group()
