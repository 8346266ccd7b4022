import pytest
import torch
from torch import nn

from cnnzip.train.optimizer import Optimizers


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 2, 1))


@pytest.mark.parametrize("kind", ["adam", "soap"])
def test_decay_shrinks_the_weights_of_convolutions_alone(kind):
    """Whatever the gradient: here it is zero, so nothing else moves them."""
    module = network()
    before = {name: parameter.detach().clone() for name, parameter in module.named_parameters()}
    optimizers = Optimizers([module], kind, 0.1, decay=0.5)
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizers.step(0.1)
    for name, parameter in module.named_parameters():
        factor = 1 - 0.1 * 0.5 if parameter.ndim == 4 else 1.0
        torch.testing.assert_close(parameter.detach(), before[name] * factor)


@pytest.mark.parametrize("kind", ["adam", "soap"])
def test_without_decay_the_states_are_those_of_older_checkpoints(kind):
    plain, decayed = (Optimizers([network()], kind, 0.1, decay=decay).state_dict() for decay in (0.0, 0.5))
    assert [state["param_groups"] for state in plain] == [state["param_groups"] for state in decayed]
