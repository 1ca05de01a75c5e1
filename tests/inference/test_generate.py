"""Text from a language model, and the verb that writes it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from trained_runs import finish_in

from flows import settings as places
from flows.cli.inference import generate as generate_verb
from flows.cli.runs import find_run
from rnnkit.data.prepare.ids import END, PADDING, UNKNOWN
from rnnkit.errors import InputError
from rnnkit.inference.generate import choose, generate
from rnnkit.inference.predict import Predictor, load
from rnnkit.params import Experiment
from rnnkit.runs.run_folder import RunFolder

HOUSE = Path(__file__).parents[2]
LINES = ["the cat sat", "the dog ran", "a cat ran", "the dog sat down", "a dog sat"] * 8


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a finished language model of words, and one of characters."""
    folder = tmp_path_factory.mktemp("generate")
    path = str(folder / "a.txt")
    Path(path).write_text("\n".join(LINES))
    for kind in ("characters", "words"):
        experiment = Experiment.model_validate(
            {
                "name": kind,
                "task": {"kind": "language_modeling", "state": "carried"},
                "data": {
                    "source": {"kind": "text", "path": path},
                    "split": {"kind": "files", "valid": path, "test": path},
                    "tokenizer": {"kind": kind},
                },
                "model": {"representation": {"kind": "embedding", "size": 8}, "hidden": 8},
                "train": {"epochs": 2, "batch_size": 4, "bptt": 8},
            }
        )
        finish_in(folder / "mlruns", experiment, f"{kind}-0123456789")
    (folder / "mlruns" / "runs" / "words-9876543210").mkdir()
    (folder / "mlruns" / "runs" / "words-9876543210" / "params.yaml").write_text("name: words")
    return folder / "mlruns"


@pytest.fixture(params=["characters", "words"])
def predictor(request: pytest.FixtureRequest, home: Path) -> Predictor:
    return load(home / "runs" / f"{request.param}-0123456789")


def write(predictor: Predictor, **more: Any) -> str:
    wanted = {"prompt": "the ", "tokens": 30, "temperature": 1.0, "top_k": None, "seed": 0, **more}
    return generate(predictor, **wanted)


def test_the_same_seed_gives_the_same_text_and_others_other_texts(predictor: Predictor) -> None:
    assert write(predictor) == write(predictor)
    texts = {write(predictor, seed=seed, prompt="") for seed in range(8)}
    assert len(texts) > 1
    assert all(write(predictor, seed=seed).startswith("the ") for seed in range(3))


def test_step_by_step_gives_what_the_batch_form_gives(predictor: Predictor) -> None:
    """The likeliest token after every prefix, which is run whole each time."""
    tokenizer = predictor.inputs.tokenizer
    assert tokenizer is not None
    ids: list[int] = []
    while len(ids) < 12:
        with torch.no_grad():
            logits = predictor.network(torch.tensor([[END, *ids]]), None)[0, -1]
        logits[[PADDING, UNKNOWN]] = -torch.inf
        if int(logits.argmax()) == END:
            break
        ids.append(int(logits.argmax()))
    wanted = tokenizer.model.decode(ids)
    assert write(predictor, prompt="", tokens=12, temperature=0) == wanted
    assert write(predictor, prompt="", tokens=12, top_k=1) == wanted


def test_an_end_ends_the_text_and_what_is_no_text_is_never_drawn(predictor: Predictor) -> None:
    with torch.no_grad():
        predictor.network.head.bias[[PADDING, UNKNOWN]] = 90.0
        assert "<" not in write(predictor)
        predictor.network.head.bias[END] = 99.0
        assert write(predictor).strip() == "the"


def test_tokens_are_drawn_as_often_as_their_shares_say() -> None:
    logits = torch.tensor([9.0, 9.0, 0.0, 1.0, 2.0])
    draw = torch.Generator().manual_seed(0)

    def counts(temperature: float, top_k: int | None) -> torch.Tensor:
        drawn = [choose(logits, temperature, top_k, draw) for _ in range(4_000)]
        return torch.bincount(torch.tensor(drawn), minlength=5) / 4_000

    assert torch.allclose(counts(1.0, None)[2:], logits[2:].softmax(0), atol=0.03)
    assert torch.allclose(counts(2.0, None)[2:], (logits[2:] / 2).softmax(0), atol=0.03)
    assert torch.allclose(counts(1.0, 2)[3:], logits[3:].softmax(0), atol=0.03)
    assert counts(1.0, 2)[:3].sum() == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tokens": 0}, "at least one token must be asked for, got 0"),
        ({"temperature": -1.0}, "the temperature must be a number from 0 on, got -1.0"),
        ({"top_k": 0}, "top-k must be at least 1, got 0"),
    ],
)
def test_numbers_without_a_meaning_are_refused(
    predictor: Predictor, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        write(predictor, **wrong)


def test_only_a_language_model_generates(tmp_path: Path) -> None:
    rows = [{"tokens": ["the", f"c{i}"], "tags": ["D", "N"]} for i in range(40)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    tagging = {
        "name": "x",
        "task": {"kind": "tagging"},
        "data": {"source": {"kind": "tokens", "path": str(tmp_path / "a.jsonl")}},
        "model": {"hidden": 4},
        "train": {"epochs": 1},
    }
    tagger = finish_in(tmp_path, Experiment.model_validate(tagging), "tagger").folder
    with pytest.raises(InputError, match="only a language model or a captioner generates"):
        write(load(tagger.path))


# --- which run, and the verb ---


def test_a_run_is_found_by_its_id_its_beginning_its_folder_or_as_the_last(home: Path) -> None:
    settings = places.read(home)
    for name in ("characters-0123456789", "char", str(home / "runs" / "characters-0123456789")):
        assert find_run(settings, name).id == "characters-0123456789"
    assert find_run(settings, "last").id == "words-0123456789"
    with (
        RunFolder(settings.runs / "words-9876543210").lock(),
        pytest.raises(InputError, match="a process is working on it; wait for it"),
    ):
        find_run(settings, "words-98")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("words", "words: 2 runs begin so, the newest is words-9876543210; write more of it"),
        ("wrds-0123456789", "there is no such run in .*; did you mean words-0123456789?"),
        ("zzz", "zzz: there is no such run in .*; rnnkit runs lists them"),
        ("words-98", "words-9876543210 is not finished, its status is interrupted; go on with: "),
    ],
)
def test_a_run_that_cannot_be_meant_is_refused(home: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_run(places.read(home), name)


def test_no_run_is_the_last_of_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is finished yet; rnnkit run makes one"):
        find_run(places.read(tmp_path), "last")


def test_the_verb_prints_texts(home: Path) -> None:
    words = f"generate words-0 --prompt the --json --count 3 --seed 1 --mlruns {home}".split()
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        timeout=60,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "MLFLOW_"))},
    )
    assert (done.returncode, done.stderr) == (0, "")
    texts = [json.loads(line)["text"] for line in done.stdout.splitlines()]
    assert len(texts) == 3
    assert all(text.startswith("the") for text in texts)


@pytest.mark.parametrize("option", [("--seed", 3), ("--top-k", 2), ("--count", 2)])
def test_what_the_likeliest_text_has_no_use_for_is_refused(
    home: Path, option: tuple[str, int]
) -> None:
    name, value = option
    given: dict[str, Any] = {name.removeprefix("--").replace("-", "_"): value}
    with pytest.raises(InputError, match=f"^{name} is for sampled texts, and --temperature"):
        generate_verb("words-0", temperature=0.0, mlruns=home, **given)


def test_half_of_a_character_is_no_prompt(predictor: Predictor) -> None:
    with pytest.raises(InputError, match="the prompt: must be a text, but its character 2 is half"):
        write(predictor, prompt="a\udcff")
