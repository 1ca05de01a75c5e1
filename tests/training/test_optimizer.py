"""The flat optimizers compute what torch.optim's classes do."""

import subprocess
import sys

import pytest
import torch

from rnnkit.params.train import SGD, Adam, Optimizer
from rnnkit.training.optimizer import make_optimizer

CLASSES = {
    "adam": (Adam(), lambda values: torch.optim.Adam(values, fused=True)),
    "sgd": (SGD(), lambda values: torch.optim.SGD(values, fused=True)),
    "momentum": (
        SGD(momentum=0.9),
        lambda values: torch.optim.SGD(values, momentum=0.9, fused=True),
    ),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", CLASSES)
def test_updates_and_state_equal_those_of_torch_optim(name: str, dtype: torch.dtype) -> None:
    params, make = CLASSES[name]
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(37, generator=generator, dtype=dtype)
    twin = values.clone().requires_grad_()
    usual = make([twin])
    optimizer = make_optimizer(params, values, {})
    for step in range(1, 8):
        gradient = torch.randn(37, generator=generator, dtype=dtype)
        values.grad, twin.grad = gradient.clone(), gradient.clone()
        optimizer.step(0.1 / step)
        usual.param_groups[0]["lr"] = 0.1 / step
        usual.step()
        if step == 4:  # as a checkpoint has it
            state = {key: tensor.clone() for key, tensor in optimizer.state.items()}
            optimizer = make_optimizer(params, values, state)
    assert torch.equal(values, twin.detach())
    states = {key: tensor for key, tensor in usual.state[twin].items() if tensor is not None}
    assert optimizer.state.keys() == states.keys()
    for key, tensor in states.items():
        assert torch.equal(optimizer.state[key], tensor)


@pytest.mark.parametrize("params", [Adam(), SGD(momentum=0.9)])
def test_no_update_imports_the_compiler(params: Optimizer) -> None:
    program = f"""
import sys, torch
from rnnkit.nn.model.initialization import make_head
from rnnkit.params.train import *
from rnnkit.training.optimizer import make_optimizer
values = torch.zeros(3)
values.grad = torch.ones(3)
make_optimizer({type(params).__name__}.model_validate({params.model_dump()}), values, {{}}).step(.1)
make_head(3, 2, torch.Generator())
print(*[name for name in ("torch._dynamo", "sympy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stderr, done.stdout) == ("", "\n")


def test_a_head_leaves_the_random_numbers_of_others_alone() -> None:
    from rnnkit.nn.model.initialization import make_head

    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    make_head(3, 2, torch.Generator().manual_seed(1))
    assert torch.equal(torch.rand(3), expected)
