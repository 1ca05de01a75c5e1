"""Judge the gradient through time, the gates and the activations, as they were last measured."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rnnkit.diagnose.gradient import EXPLODED
from rnnkit.diagnose.recording import DECODER
from rnnkit.diagnose.rules import RULES
from rnnkit.diagnose.subject import Case
from rnnkit.diagnose.verdict import Override, Verdict, accepted
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import DIAGNOSIS

Line = Mapping[str, Any]


def judge_dynamics(case: Case) -> Iterator[Verdict]:
    """The verdicts on the last measurement of a training."""
    measured = sorted(case.records(DIAGNOSIS), key=lambda line: line["epoch"])
    if measured:
        for judge in (_exploding, _exploding_units, _vanishing, _short_gates, _dead, _saturated):
            yield from judge(case, measured[-1])


def _exploding(case: Case, line: Line) -> Iterator[Verdict]:
    rule = RULES["exploding_gradient"]
    for name, curve in line["gradient"].items():
        factor, fit = curve["factor"] or 0.0, curve["fit"] or 0.0
        explodes, by_slope = curve["explodes"], None
        if explodes is None and factor > 1 and fit > rule["fit"]:
            by_slope = math.ceil(math.log(EXPLODED) / math.log(factor))
        if explodes is None and (by_slope is None or by_slope > rule["steps"]):
            continue
        lag = explodes if explodes is not None else by_slope
        how = "exceeds" if explodes is not None else "by its slope exceeds"
        sentence = (
            f"the gradient of {name} explodes, it grows by x{factor:.3g} per step back and {how} "
            f"1e10 of its norm at the loss {lag} steps back"
        )
        spectrum = {gate: values["radius"] for gate, values in _gates(line, name).items()}
        evidence = {"series": name, "factor": factor, "lag": lag, "spectral_radius": spectrum}
        yield rule.verdict(sentence, evidence, accepted(case.experiment, *_calmer(case.experiment)))
        return


def _exploding_units(case: Case, line: Line) -> Iterator[Verdict]:
    rule = RULES["exploding_activations"]
    for name, cell in line["cells"].items():
        if float(cell["activation"]) > rule["size"]:
            size = float(cell["activation"])
            yield rule.verdict(
                f"activations of {name} explode, the largest is {size:.3g}",
                {"series": name, "activation": size},
                accepted(case.experiment, *_calmer(case.experiment)),
            )
            return


def _vanishing(case: Case, line: Line) -> Iterator[Verdict]:
    rule, depends = RULES["vanishing_gradient"], line["depends"]
    read = _reading(line)
    if case.learned or not read:
        return
    reaches = {name: line["gradient"][name]["vanishes"] for name in read}
    if any(lag is None for lag in reaches.values()):
        return
    name = max(reaches, key=lambda series: reaches[series])
    lag, factor = reaches[name], line["gradient"][name]["factor"]
    needed = rule["steps"] if depends is None else rule["reach"] * depends
    if lag >= needed:
        return
    lies = "" if depends is None else f"; what the answer depends on lies {depends:.0f} steps back"
    decay = "" if factor is None else f" (x{factor:.3g} per step)"
    evidence = {
        "series": name,
        "lag": lag,
        "factor": factor,
        "fit": line["gradient"][name]["fit"],
        "depends": depends,
        "largest_singular_value": {g: v["largest"] for g, v in _gates(line, name).items()},
    }
    sentence = f"the gradient vanishes, under 1e-6 of its norm beyond lag {lag}{decay}{lies}"
    overrides = accepted(case.experiment, *_longer(case.experiment, depends))
    yield rule.verdict(sentence, evidence, overrides)


def _short_gates(case: Case, line: Line) -> Iterator[Verdict]:
    rule, depends = RULES["short_gates"], line["depends"]
    memories = {name: line["cells"][name].get("longest") for name in _reading(line)}
    if case.learned or depends is None or not memories or None in memories.values():
        return
    name = max(memories, key=lambda series: memories[series])
    steps = memories[name]
    if steps >= rule["reach"] * depends:
        return
    yield rule.verdict(
        f"the gates of {name} keep the state for {steps:.2g} steps at the most; what the answer "
        f"depends on lies {depends:.0f} steps back",
        {"series": name, "steps": steps, "depends": depends},
        accepted(case.experiment, *_open_gates(case.experiment, depends)),
    )


def _dead(case: Case, line: Line) -> Iterator[Verdict]:
    rule = RULES["dead_units"]
    for name, cell in line["cells"].items():
        if (dead := cell.get("dead", 0.0)) > rule["fraction"]:
            rate = case.experiment.train.optimizer.learning_rate
            yield rule.verdict(
                f"{dead:.0%} of the ReLU units of {name} are dead, 0 at every step",
                {"series": name, "dead": dead},
                accepted(
                    case.experiment,
                    {"train.optimizer.learning_rate": float(f"{rate / 10:.3g}")},
                    {"model.cell.activation": "tanh"},
                ),
            )
            return


def _saturated(case: Case, line: Line) -> Iterator[Verdict]:
    rule = RULES["saturated_units"]
    for name, cell in line["cells"].items():
        if (saturated := cell.get("saturated", 0.0)) > rule["fraction"]:
            rate = case.experiment.train.optimizer.learning_rate
            yield rule.verdict(
                f"{saturated:.0%} of the activations of {name} are saturated, where the slope is "
                f"below {rule['slope']:g} of its largest",
                {"series": name, "saturated": saturated},
                accepted(
                    case.experiment,
                    {"train.optimizer.learning_rate": float(f"{rate / 10:.3g}")},
                    {"model.cell.kind": "lstm"},
                ),
            )
            return


def _reading(line: Line) -> list[str]:
    """The series that read the inputs: of an encoder-decoder its encoder's."""
    return [name for name in line["gradient"] if not name.startswith(DECODER)]


def _gates(line: Line, name: str) -> Mapping[str, Mapping[str, float]]:
    gates: Mapping[str, Mapping[str, float]] = line["cells"][name]["gates"]
    return gates


def _calmer(experiment: Experiment) -> list[Override]:
    """What keeps gradients and activations small."""
    clip: Override = {"train.clip": 1.0}
    is_loose = not isinstance(experiment.train.clip, float) or experiment.train.clip > 1
    tanh: Override = {"model.cell.activation": "tanh"}
    orthogonal = {"model.initialization.recurrent": "orthogonal", "model.initialization.scale": 1.0}
    return [*([clip] if is_loose else []), tanh, orthogonal, {"model.cell.kind": "gru"}]


def _longer(experiment: Experiment, depends: float | None) -> list[Override]:
    """What lets gradients reach further back."""
    if experiment.model.cell.kind in ("lstm", "gru"):
        return _open_gates(experiment, depends or 0.0)
    gru: dict[str, Any] = {"model.cell.kind": "gru"}
    lstm: dict[str, Any] = {"model.cell.kind": "lstm"}
    if depends is not None:
        gru["model.cell.update_bias"] = lstm["model.cell.forget_bias"] = _bias(depends)
    return [gru, lstm, {"model.initialization.recurrent": "orthogonal"}]


def _open_gates(experiment: Experiment, depends: float) -> list[Override]:
    """Gates that begin by keeping the state for as long as the data need (Tallec and Ollivier
    2018)."""
    return [{"model.cell.forget_bias": _bias(depends)}, {"model.cell.update_bias": _bias(depends)}]


def _bias(steps: float) -> float:
    """The bias with which a unit keeps its state for about so many steps: 1 + exp(b)."""
    return round(math.log(max(steps - 1, 1.0)), 1)
