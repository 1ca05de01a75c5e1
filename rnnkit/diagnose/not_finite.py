"""Where numbers go wrong: the items, layer and time step of the first that is not finite."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from rnnkit.data.batches import Batch
from rnnkit.diagnose.recording import REVERSE, Recorder, real_steps, recording
from rnnkit.diagnose.rules import RULES
from rnnkit.diagnose.subject import Case
from rnnkit.diagnose.verdict import Override, Verdict, accepted
from rnnkit.nn.model.network import Synced
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import NOT_FINITE
from rnnkit.runtime import numerics
from rnnkit.tasks import Task
from rnnkit.training.state import Refused

MAX_ITEMS = 10
"""Items that are named."""


def describe_refusal(experiment: Experiment, task: Task, refused: Refused) -> dict[str, Any]:
    """The journal's record of a step without a finite gradient.

    Returns: first_epoch, first_step, loss, last_norms; items, rows of the source's frame in which
        it began, or all of the batch; and what, the first that was not finite when the step is
        computed again without dropout: an activation (with series and time_step, in the window), a
        gradient of a state (the same), outputs, loss, or nothing.
    """
    network = task.network(experiment.model, numerics.generator(experiment.seed, "weights")).eval()
    network.load_state_dict(refused.weights())
    batch = refused.window.batch
    with recording(network) as recorders:
        if refused.states is None:
            outputs = task.forward(network, batch)
        else:
            assert isinstance(network, Synced)
            outputs = network.run(batch.inputs, batch.mask, refused.states, False, "auto")[0]
        loss = task.training_loss(outputs, batch)
    place = _place(recorders, batch, outputs, loss)
    rows = place.pop("rows", None)
    items = batch.item if rows is None or len(rows) != len(batch.item) else batch.item[rows]
    return {
        "first_epoch": refused.epoch,
        "first_step": refused.step,
        "loss": refused.loss,
        "last_norms": [float(f"{norm:.6g}") for norm in refused.last_norms],
        "items": items[:MAX_ITEMS].tolist(),
        **place,
    }


def _place(
    recorders: Mapping[str, Recorder], batch: Batch, outputs: Tensor, loss: Tensor
) -> dict[str, Any]:
    """What was not finite first, and its rows where they are known."""
    for name, recorder in recorders.items():
        real = real_steps(name, batch)
        for step, state in enumerate(recorder.after):
            wrong = _wrong_rows(tuple(state))
            if real is not None:
                wrong &= real[:, step]
            if bool(wrong.any()):
                return {"what": "activation", **_at(name, recorder, step), "rows": wrong}
    if not bool(outputs.isfinite().all()):
        return {"what": "outputs", "rows": _wrong_rows((outputs,))}
    if not bool(loss.isfinite()):
        return {"what": "loss"}
    for name, recorder in reversed(list(recorders.items())):  # from the loss back
        parts = [part for state in recorder.after for part in state]
        gradients = torch.autograd.grad(loss, parts, retain_graph=True, allow_unused=True)
        width = len(tuple(recorder.after[0])) if recorder.after else 1
        for step in reversed(range(len(recorder.after))):
            present = [g for g in gradients[step * width : (step + 1) * width] if g is not None]
            wrong = _wrong_rows(tuple(present)) if present else torch.zeros(1, dtype=torch.bool)
            if bool(wrong.any()):
                return {"what": "gradient", **_at(name, recorder, step), "rows": wrong}
    return {"what": "nothing"}


def _at(name: str, recorder: Recorder, step: int) -> dict[str, Any]:
    """The series, and the time step of a step in the order of processing."""
    is_backward = name.endswith(REVERSE)
    return {"series": name, "time_step": len(recorder.after) - 1 - step if is_backward else step}


def _wrong_rows(tensors: tuple[Tensor, ...]) -> Tensor:
    """[rows] true where a number is not finite."""
    wrong = [~tensor.detach().flatten(1).isfinite().all(dim=1) for tensor in tensors]
    return torch.stack(wrong).any(dim=0)


def judge_not_finite(case: Case) -> Iterator[Verdict]:
    """Verdict `not_finite`."""
    for line in case.records(NOT_FINITE)[:1]:
        rule, train = RULES["not_finite"], case.experiment.train
        where = ""
        if line.get("series"):
            where = f": first an {line['what']} of {line['series']} at step {line['time_step']}"
            where = where.replace("an gradient", "the gradient")
        elif line["what"] != "nothing":
            where = f": first the {line['what']}"
        items = ", ".join(map(str, line["items"]))
        norms = (
            f"; the norm before it was {line['last_norms'][-1]:.3g}" if line["last_norms"] else ""
        )
        rate = train.optimizer.learning_rate
        overrides: list[Override] = [{"train.optimizer.learning_rate": float(f"{rate / 10:.3g}")}]
        if train.clip is None or (isinstance(train.clip, float) and train.clip > 1):
            overrides.insert(0, {"train.clip": 1.0})
        sentence = (
            f"the gradient of step {line['first_step']} in epoch {line['first_epoch']} was not "
            f"finite{where}, in items {items}{norms}"
        )
        evidence = {key: value for key, value in line.items() if key not in ("kind", "time")}
        yield rule.verdict(sentence, evidence, accepted(case.experiment, *overrides))
