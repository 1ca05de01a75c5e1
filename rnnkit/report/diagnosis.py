"""A diagnosis on a page of its own: of a run before its report, or of params before a training."""

from pathlib import Path

from rnnkit import figures
from rnnkit.diagnose.diagnosis import Diagnosis
from rnnkit.diagnose.tables import frames_of
from rnnkit.report.page import picture, render
from rnnkit.runtime import files


def write_diagnosis(diagnosis: Diagnosis, folder: Path) -> Path:
    """Write the self-contained page and its figures; return its path.

    Args:
        folder: `diagnosis` in the output folder; made if it is not there.
    """
    place = folder / diagnosis.name
    place.mkdir(parents=True, exist_ok=True)
    drawn = {}
    if diagnosis.lines:
        drawn["gradient_through_time"] = figures.gradient_through_time(diagnosis.lines)
        drawn["recurrent_weights"] = figures.recurrent_weights(diagnosis.lines)
    content = render(
        "diagnosis.html",
        title=diagnosis.name,
        verdicts=diagnosis.verdicts,
        pictures={path.stem: picture(path) for path in figures.save_all(drawn, place)},
        decay=frames_of(diagnosis)["decay"].to_dict("records"),
    )
    page = place / "diagnosis.html"
    files.write_atomic(page, content)
    return page
