"""A page of claims in Markdown: what was predicted, what was measured, and a figure for each."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rnnkit.claims.claim import ONLY, Claim
from rnnkit.claims.predicted import Outcome
from rnnkit.claims.scores import Scores
from rnnkit.figures import claim_figure, save
from rnnkit.runtime.files import write_atomic

HEAD = """# Claims

What is said of recurrent networks, as experiments. `rnnkit claims` trains them and writes this
page; `rnnkit claims NAME` trains one of them. Each number is a mean over the seeds, ± their
standard deviation. One variant is better than another only where the difference of their means is
larger than twice its standard error; a smaller one is undecided.
"""


class Judged(NamedTuple):
    """A claim with its scores and the outcome of each prediction."""

    name: str
    claim: Claim
    scores: Scores
    outcomes: Sequence[Outcome]

    @property
    def verdict(self) -> str:
        """That of its predictions where they agree, or how many of them hold."""
        verdicts = [outcome.verdict for outcome in self.outcomes]
        if len(set(verdicts)) == 1:
            return verdicts[0]
        held = verdicts.count("holds")
        undecided = verdicts.count("undecided")
        said = f"{held} of {len(verdicts)} predictions hold"
        return f"{said}, {undecided} undecided" if undecided else said


def judged(name: str, claim: Claim, scores: Scores) -> Judged:
    """The claim with the outcomes of its predictions."""
    outcomes = [prediction.judge(scores, claim.metric) for prediction in claim.predictions]
    return Judged(name, claim, scores, outcomes)


def write_page(file: Path, claims: Sequence[Judged]) -> None:
    """The page, and the figures in a folder of its name beside it."""
    folder = file.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    parts = [HEAD, _overview(claims)]
    for each in claims:
        figure = folder / f"{each.name}.png"
        save(claim_figure(each.name, each.claim.metric, each.claim.axis, _values(each)), figure)
        parts.append(_section(each, f"{folder.name}/{figure.name}"))
    write_atomic(file, "\n".join(parts))


def _overview(claims: Sequence[Judged]) -> str:
    rows = [
        f"| [{each.name}](#{each.name}) | {each.claim.claim} | {each.verdict} |" for each in claims
    ]
    return "\n".join(["| name | claim | measured |", "|---|---|---|", *rows, ""])


def _section(each: Judged, figure: str) -> str:
    scores, metric = each.scores, each.claim.metric
    rows = []
    for variant in scores.variants:
        cells = [str(scores.summary(name, variant, metric)) for name in scores.conditions]
        rows.append(f"| {variant} | {' | '.join(cells)} |")
    names = [metric if name == ONLY else name for name in scores.conditions]
    table = [
        f"| {'' if len(names) == 1 else f'{metric} by {each.claim.axis}'} | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
        *rows,
    ]
    outcomes = [
        f"- {outcome.verdict if outcome.verdict == 'holds' else f'**{outcome.verdict}**'}: "
        f"{outcome.sentence}"
        for outcome in each.outcomes
    ]
    seeds = len({row.seed for row in scores.rows})
    return "\n".join(
        [
            f"## {each.name}",
            "",
            f"{each.claim.claim} **{each.verdict[0].upper()}{each.verdict[1:]}.**",
            "",
            *outcomes,
            "",
            *table,
            "",
            f"![{metric} of each variant with every seed]({figure})",
            "",
            f"`rnnkit claims {each.name}`, {len(scores.rows)} trainings with {seeds} "
            f"{'seeds' if seeds > 1 else 'seed'}.",
            "",
        ]
    )


def _values(each: Judged) -> dict[str, dict[str, list[float]]]:
    """Variant -> condition -> the claim's metric with each seed."""
    scores, metric = each.scores, each.claim.metric
    return {
        variant: {
            name: [row.values.get(metric, math.nan) for row in scores.of(name, variant)]
            for name in scores.conditions
        }
        for variant in scores.variants
    }
