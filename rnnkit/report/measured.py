"""What was measured of a trained network, in sentences and tables of its report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnnkit.diagnose import clip, truncation
from rnnkit.diagnose.fit import FIT
from rnnkit.diagnose.linear_probe import PROBE
from rnnkit.diagnose.neighbours import NEIGHBOURS, table_rows
from rnnkit.params import Experiment

Measured = Mapping[str, Mapping[str, Any]]
"""Name of a measurement -> what it gave."""
Rows = list[dict[str, Any]]


def sentences(
    experiment: Experiment, journal: Sequence[Mapping[str, Any]], measured: Measured
) -> list[str]:
    """Memory and clipping, a sentence each, without full stops.

    Args:
        experiment: the trained one.
        journal: of the run.
    """
    lines = []
    if span := measured.get(truncation.SPAN):
        depends = measured.get(truncation.DEPENDENCE, {})
        lines.append(f"Memory: {truncation.sentence(span, depends)}")
    if report := clip.clip_report(journal):
        lines.append(f"Clipping: {clip.sentence(report, experiment)}")
    return lines


def tables(measured: Measured) -> Iterator[tuple[str, Rows]]:
    """Tables, each with its heading."""
    if probe := measured.get(PROBE):
        name = str(probe["measure"])
        scores = {"no input": probe["constant"], **probe["layers"]}
        rows = [{"layer": layer, name: score} for layer, score in scores.items()]
        yield "What a linear probe reads from each layer", rows
    if groups := measured.get(FIT, {}).get("lengths"):
        rows = [
            {
                "steps": f"{group['shortest']} to {group['longest']}",
                "items": group["items"],
                group["measure"]: group["value"],
            }
            for group in groups
        ]
        yield "By length of the input", rows
    if neighbours := table_rows(measured.get(NEIGHBOURS, {})):
        yield "Nearest neighbours of the most frequent tokens", neighbours
