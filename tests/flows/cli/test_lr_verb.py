"""`rnnkit lr`: the suggested rate, the picture, and the next command."""

import json
from pathlib import Path

from verb_runs import rnnkit

PNG = b"\x89PNG"


def test_a_learning_rate_is_suggested_with_a_picture(here: Path) -> None:
    done = rnnkit(here, "lr", "a.yaml", "--steps", "30", "--set", "model.hidden=5")
    assert (done.returncode, done.stderr) == (0, "")
    picture = here / "mlruns" / "range_tests" / "words.png"
    assert picture.read_bytes().startswith(PNG)
    assert f"  picture        {picture.relative_to(here)}\n" in done.stdout
    *_, last = done.stdout.splitlines()
    assert last.startswith(
        "Next: rnnkit run a.yaml --set model.hidden=5 --set train.optimizer.learning_rate="
    )


def test_the_test_as_json(here: Path) -> None:
    done = rnnkit(here, "lr", "a.yaml", "--steps", "25", "--high", "0.1", "--to", "a.png", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    tested = json.loads(done.stdout)
    assert tested["override"] == f"train.optimizer.learning_rate={tested['suggested']:g}"
    assert len(tested["rates"]) == len(tested["averages"]) == 25
    assert (here / tested["picture"]).read_bytes().startswith(PNG)


def test_another_ending_of_the_picture_is_refused(here: Path) -> None:
    done = rnnkit(here, "lr", "a.yaml", "--to", "a.pdf")
    assert done.returncode == 2
    assert "--to a.pdf: the picture is written as PNG; name a file NAME.png" in done.stderr
