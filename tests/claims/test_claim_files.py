"""Every claim of `params/claims/`: it is valid, and its machinery works on a tiny training."""

from pathlib import Path
from typing import Any

import pytest

from rnnkit.claims import files
from rnnkit.claims.claim import load, trainings
from rnnkit.claims.measure import is_measured, measured, places
from rnnkit.claims.page import judged, write_page
from rnnkit.claims.scores import Scores
from rnnkit.errors import InputError
from rnnkit.params.load import changes_of

CLAIMS = files.claims()
SHORT: dict[str, Any] = {"train.epochs": 1, "seeds": [0]}
SMALL = {"generated": {"data.source.train": 32, "data.source.valid": 16, "data.source.test": 16}}


def test_the_claims_are_the_files_of_their_folder() -> None:
    folder = Path(__file__).parents[2] / "params" / "claims"
    assert list(CLAIMS.values()) == sorted(folder.glob("*.yaml"))
    assert len(CLAIMS) >= 12


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_trained_with_three_seeds(name: str) -> None:
    claim = load(CLAIMS[name])
    planned = trainings(claim.experiments(name, {}))
    seeds = {training.experiment.seed for training in planned}
    assert len(seeds) == 3
    assert claim.claim.endswith(".")
    metrics = next(iter(claim.experiments(name, {}).values())).task.metrics
    assert claim.metric in metrics


@pytest.mark.parametrize("name", CLAIMS)
def test_a_training_of_a_claim_gives_a_score(name: str, tmp_path: Path) -> None:
    claim = load(CLAIMS[name])
    source = claim.params["data"]["source"]["kind"]
    changes = SHORT | SMALL.get(
        source, {} if "window" in claim.params["data"] else {"data.limit": 60}
    )
    planned = trainings(claim.experiments(name, changes))
    (first,) = measured(planned[:1], places(planned[:1], tmp_path / "claims"), tmp_path)
    assert first.values[claim.metric] == first.values[claim.metric]  # a number
    assert first.values["parameters"] > 0


def test_measured_trainings_are_read_again_and_a_page_says_what_holds(tmp_path: Path) -> None:
    claim = load(CLAIMS["bidirectional"])
    changes = SHORT | {"data.limit": 60}
    experiments = claim.experiments("bidirectional", changes)
    planned = trainings(experiments)
    runs = places(planned, tmp_path / "claims")
    scores = [*measured(planned, runs, tmp_path)]
    assert all(map(is_measured, runs))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("journal.jsonl")}
    assert [*measured(planned, runs, tmp_path)] == scores
    assert {path: path.stat().st_mtime_ns for path in before} == before
    task = next(iter(experiments.values())).task
    each = judged("bidirectional", claim, Scores(scores, dict(task.metrics)))
    write_page(tmp_path / "claims.md", [each])
    page = (tmp_path / "claims.md").read_text()
    assert claim.claim in page
    assert "holds: parameters of both directions: at most 13500 predicted" in page
    assert (tmp_path / "claims" / "bidirectional.png").stat().st_size > 5_000


@pytest.mark.filterwarnings("ignore:.*No gradient was finite:rnnkit.errors.Note")
def test_a_training_that_diverges_has_no_values(tmp_path: Path) -> None:
    claim = load(CLAIMS["clipping"])
    wild = {"train.optimizer.learning_rate": 100.0, "train.epochs": 12}
    planned = trainings(claim.experiments("clipping", SHORT | SMALL["generated"] | wild))
    first = [training for training in planned if training.variant == "none"]
    runs = places(first, tmp_path / "claims")
    for _ in range(2):  # the second reads the record
        (score,) = measured(first, runs, tmp_path)
        assert (score.values, score.learned) == ({}, False)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("metric: 1", r"a.yaml:2: metric: "),
        ("shape: 1", r"a.yaml:2: shape: there is no such key"),
        ("predictions: []", r"a.yaml:2: predictions: "),
    ],
)
def test_a_file_that_is_no_claim_is_refused(tmp_path: Path, line: str, message: str) -> None:
    key = line.partition(":")[0]
    rest = ["metric: loss", "params: {}", "predictions: [{kind: learns, variant: a}]"]
    kept = [text for text in rest if not text.startswith(key)]
    (tmp_path / "a.yaml").write_text("\n".join(["claim: A.", line, *kept]))
    with pytest.raises(InputError, match=message):
        load(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        ({"kind": "learns", "variant": "gru"}, "gru is no variant; there are both directions, one"),
        (
            {"kind": "learns", "variant": "one direction", "condition": "x"},
            "x is no condition; there are ",
        ),
    ],
)
def test_a_prediction_of_what_is_not_there_is_refused(
    prediction: dict[str, Any], message: str
) -> None:
    claim = load(CLAIMS["bidirectional"])
    changed = claim.model_validate({**claim.model_dump(), "predictions": [prediction]})
    with pytest.raises(InputError, match=message):
        changed.experiments("bidirectional", {})


def test_a_name_that_is_no_claim_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"^depht: there is no such claim \(did you mean depth\?\)"
    ):
        files.chosen(["depht"])
    assert [*files.chosen([])] == [*CLAIMS]


def test_changes_of_the_command_line_are_values() -> None:
    assert changes_of(["train.epochs=1", "seeds=[0]"]) == {"train.epochs": 1, "seeds": [0]}
    with pytest.raises(InputError, match=r"^--set epochs: write key=value"):
        changes_of(["epochs"])
