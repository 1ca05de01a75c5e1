"""A network on one sequence that comes step by step, with its state: equal to the batch form."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnnkit.errors import InputError
from rnnkit.nn.model.network import ManyToOne, Synced
from rnnkit.nn.model.stack import States


class SequenceStream:
    """One sequence; `rnnkit.inference.stream.Stream` says what steps and answers are.

    Args:
        task: of the run.
        network: in evaluation mode, of one direction.

    Raises:
        InputError: such inputs cannot be read step by step.
    """

    def __init__(self, task: Any, network: nn.Module) -> None:
        self.task, self.network = task, network
        self.inputs = task.fitted.inputs
        self._feed = self.inputs.feed()
        self._longest = task.fitted.longest_read
        self._states: States | None = None
        self._readout: Tensor | None = None
        self._outputs = torch.empty(0)
        self._answer: dict[str, Any] = {}
        self.steps = 0
        """Steps that the network has read."""

    @torch.no_grad()
    def step(self, value: Any, where: str | None) -> dict[str, Any]:
        """The answer after one more step; `where` is what messages call it."""
        where = where or f"step {self.steps + 1}"
        new = torch.as_tensor(self._feed(value, where))
        if len(new):
            self._answer = {**self.inputs.shown_step(value, where), **self.answer(new)}
        unit = self.inputs.counted
        return self._answer if unit is None else {unit: self.steps, **self._answer}

    def answer(self, new: Tensor) -> dict[str, Any]:
        """The answer after new steps, at least one."""
        outputs = self.run(new)
        answer: dict[str, Any] = self.task.answer(outputs if self.task.synced else outputs[0], new)
        return answer

    @torch.no_grad()
    def end(self) -> dict[str, Any] | None:
        """What is known once the sequence ends; None: nothing more."""
        return None

    def run(self, new: Tensor) -> Float[Tensor, "steps outputs"]:
        """Of each step of a synced network, else one of all steps so far."""
        network, inputs = self.network, new[None]
        if isinstance(network, Synced):
            outputs, self._states = network.run(inputs, None, self._states, True, "auto")
            self.steps += inputs.shape[1]
            return outputs[0]
        if not isinstance(network, ManyToOne):
            raise InputError("the network reads its inputs at once")
        for t in range(inputs.shape[1]):  # a text of a step may be several tokens
            if self.steps == self._longest:
                break  # what is longer is cut, as it is whole
            self.steps += 1
            self._outputs, self._states, self._readout = network.step(
                inputs[:, t : t + 1], self._states, self._readout, self.steps
            )
        return self._outputs
