"""A run in a few lines of HTML, for a notebook: its scores beside the baselines, verdict, links."""

from collections.abc import Mapping
from typing import Any

from rnnkit.report.page import render
from rnnkit.report.run import score_rows


def run_summary(run_id: str, result: Mapping[str, Any], links: Mapping[str, str]) -> str:
    """The HTML of a finished run, in the colours of the page that it stands in.

    Args:
        run_id: the run's.
        result: as in result.json.
        links: name -> address.
    """
    return render(
        "summary.html",
        title=run_id,
        scores=score_rows(result),
        verdict=result["verdict"],
        training=result.get("training", ""),
        tuned=result["tuned"],
        links=links,
    )
