"""SOAP for the dense convolutions, Adam for everything else (`../docs/models.md` has the comparison)."""

from collections.abc import Iterable

import torch
from pytorch_optimizer import SOAP
from torch import nn

SOAP_MAX_DIMENSION = 400
SOAP_FREQUENCY = 40


class Optimizers:
    """Several optimisers as one: each parameter belongs to exactly one of them.

    Args:
        modules: what is learnt, but for frozen parameters.
        kind: "soap" or "adam".
        rate: of learning.
        decay: weights of convolutions shrink by this times the rate a step, whatever their gradient (Loshchilov and
            Hutter, ICLR 2019); biases, gains and densities do not.
    """

    def __init__(self, modules: Iterable[nn.Module], kind: str, rate: float, decay: float = 0.0) -> None:
        self.decay = decay
        self.decayed: list[torch.Tensor] = []
        dense: list[nn.Parameter] = []
        rest: list[nn.Parameter] = []
        for module in modules:
            for parameter in (p for p in module.parameters() if p.requires_grad):
                # Depthwise weights have one input channel: there is no matrix to precondition.
                is_dense = parameter.ndim == 4 and parameter.shape[1] > 1
                (dense if is_dense and kind == "soap" else rest).append(parameter)
                if parameter.ndim == 4:
                    self.decayed.append(parameter.detach())
        # A network without biases may leave Adam nothing to do, which it would not take.
        self.members: list[torch.optim.Optimizer] = [torch.optim.Adam(rest, lr=rate)] if rest else []
        if dense:
            self.members.append(
                SOAP(
                    [
                        # A 1×1 kernel's sides, and most 3×3 ones, need no matrices of their own: a third less time.
                        # But the package cannot merge what would become a single side.
                        {"params": [p for p in dense if p.numel() > SOAP_MAX_DIMENSION], "merge_dims": True},
                        {"params": [p for p in dense if p.numel() <= SOAP_MAX_DIMENSION], "merge_dims": False},
                    ],
                    lr=rate,
                    weight_decay=0.0,
                    precondition_frequency=SOAP_FREQUENCY,
                    max_precondition_dim=SOAP_MAX_DIMENSION,
                )
            )

    def step(self, rate: float) -> None:
        """One step of all at learning rate `rate`, then forget the gradients."""
        if self.decay:
            # Here and not by the optimisers' own option: the same for all of them, and for every group.
            torch._foreach_mul_(self.decayed, 1 - rate * self.decay)
        for member in self.members:
            for group in member.param_groups:
                group["lr"] = rate
            member.step()
            member.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, object]]:
        """The states of all, for a checkpoint."""
        return [member.state_dict() for member in self.members]

    def load_state_dict(self, states: list[dict[str, object]]) -> None:
        """Take over the states that `state_dict` gave."""
        for member, state in zip(self.members, states, strict=True):
            member.load_state_dict(state)
