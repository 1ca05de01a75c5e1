"""Word vectors from files, another run's weights, a user's own cell and its measure_invariants."""

import gzip
import math
import re
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from trained_runs import train_in

from rnnkit.data.word_vectors import read_vectors
from rnnkit.errors import InputError
from rnnkit.inference.predict import load as load_predictor
from rnnkit.nn.cells import make
from rnnkit.params import Experiment, dump, load
from rnnkit.runs.identity import identify
from rnnkit.tasks import prepare, task_for
from rnnkit.training.evaluate import evaluate
from rnnkit.training.invariants import TOLERANCE, Measured, measure_invariants
from rnnkit.training.loop import train
from rnnkit.training.pretrained import start
from rnnkit.training.state import State
from rnnkit.training.trainer import make_network

WORDS = {"good": [1.0, 2.0, 3.0], "bad": [-1.0, 0.5, 0.25], "film": [0.0, 0.0, 1.0]}


def lines(words: dict[str, list[float]] = WORDS) -> str:
    return "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in words.items())


def binary(words: dict[str, list[float]] = WORDS) -> bytes:
    rows = b"".join(word.encode() + b" " + struct.pack("<3f", *row) for word, row in words.items())
    return f"{len(words)} 3\n".encode() + rows


def write(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    if name.endswith(".gz"):
        content = gzip.compress(content)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("inside.txt", content)
    else:
        path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("glove.txt", lines().encode()),
        ("glove.txt.gz", lines().encode()),
        ("glove.zip", lines().encode()),
        ("word2vec.vec", f"3 3\n{lines()}".encode()),
        ("word2vec.bin", binary()),
        ("word2vec.bin.gz", binary()),
        ("no_last_break.txt", lines().encode().rstrip(b"\n")),
        ("marked.txt", b"\xef\xbb\xbf" + lines().encode()),
        ("marked.vec", f"\ufeff3 3\n{lines()}".encode()),
        ("tabs.txt", lines().replace(" ", "\t").encode()),
        ("tab_and_spaces.txt", re.sub(r"(?m)^(\S+) ", r"\1\t", lines()).encode()),
    ],
)
def test_every_kind_of_file_gives_the_same_vectors(
    name: str, content: bytes, tmp_path: Path
) -> None:
    read = read_vectors(write(tmp_path, name, content), {"good", "film", "absent"})
    assert (read.width, read.rows, read.notes) == (3, 3, ())
    assert read.vectors.keys() == {"good", "film"}
    assert read.vectors["good"].tolist() == [1, 2, 3]
    assert read.vectors["good"].dtype == np.float32


def test_odd_files_are_read_with_a_note(tmp_path: Path) -> None:
    lying = read_vectors(write(tmp_path, "a.vec", f"9 3\n{lines()}".encode()), WORDS)
    assert lying.notes == (f"{tmp_path}/a.vec: its header says 9 rows, and it has 3",)
    lying = read_vectors(write(tmp_path, "a.bin", b"9" + binary()[1:]), WORDS)
    assert lying.notes == (f"{tmp_path}/a.bin: its header says 9 rows, and it has 3",)
    latin = write(tmp_path, "l.txt", lines().encode() + b"caf\xe9 1 2 3\n")
    assert read_vectors(latin, {"café"}).vectors["café"].tolist() == [1, 2, 3]
    assert "1 words are no UTF-8" in read_vectors(latin, {"café"}).notes[0]
    twice = write(tmp_path, "t.txt", lines().encode() + b"good 9 9 9\n")
    assert read_vectors(twice, {"good"}).vectors["good"].tolist() == [1, 2, 3]
    spaced = write(tmp_path, "s.txt", lines().encode() + b". . 4 5 6\n 7 8 9\n\n")
    read = read_vectors(spaced, {". ."})
    assert read.vectors[". ."].tolist() == [4, 5, 6]
    assert read.rows == 5  # one of them without a word


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"good 1 2 3\nbad 1 2\n", "line 2: a word and 3 numbers are needed"),
        ("a.txt", b"good 1 2 x\nbad 1 2 3\n", "line 1: a word and 3 numbers are needed"),
        ("a.txt", b"good\n", "line 1: a word and its numbers are needed"),
        ("a.txt", b"bad 1 2 3\ngood 1 nan 3\n", r"a\.txt, line 2: must be finite .* one is nan"),
        ("a.txt", b"2 3\nx 0 0 0\ny 0 0 -1e39\n", "line 3: must be finite .* one is -1e\\+39"),
        ("a.bin", binary({"x": [0, 0, math.inf]}), "row 1: must be finite .* one is inf; correct"),
        ("a.bin", binary()[:-2], "the file is cut short in row 3"),
        ("a.bin", binary()[:-14], "the file is cut short in row 3"),
    ],
)
def test_a_file_that_is_none_is_refused(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        read_vectors(write(tmp_path, name, content), WORDS)


def test_a_packed_file_that_is_cut_or_ambiguous_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt.gz", lines().encode())
    Path(path).write_bytes(Path(path).read_bytes()[:-9])
    with pytest.raises(InputError, match="must unpack whole"):
        read_vectors(path, WORDS)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.txt", "x")
        archive.writestr("b.txt", "y")
    with pytest.raises(InputError, match=r"must hold one file, but it holds 2 \(a.txt, b.txt\)"):
        read_vectors(str(tmp_path / "two.zip"), WORDS)


def test_a_zip_of_several_vector_files_is_written_like_a_folder(tmp_path: Path) -> None:
    wide = {word: [*row, 0.5] for word, row in WORDS.items()}
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        archive.writestr("glove.3d.txt", lines())
        archive.writestr("__MACOSX/._glove.3d.txt", "resources")
        archive.writestr("glove.4d.txt", lines(wide))
    assert read_vectors(f"{tmp_path}/glove.zip/glove.4d.txt", WORDS).vectors["bad"].tolist() == [
        *WORDS["bad"],
        0.5,
    ]
    with pytest.raises(InputError, match=r"holds 2 .* as .*glove\.zip/glove\.3d\.txt$"):
        read_vectors(f"{tmp_path}/glove.zip", WORDS)
    with pytest.raises(InputError, match=r"zip: there is no file 'glove.5d.txt' in it, but it hol"):
        read_vectors(f"{tmp_path}/glove.zip/glove.5d.txt", WORDS)
    path = f"{tmp_path}/glove.zip/glove.3d.txt"
    it = experiment(tmp_path, **{"model.representation.vectors": path})
    assert identify([it]) != identify([experiment(tmp_path)])
    prepared = prepare(it.data, it.task, tmp_path)
    network = make_network(it, task_for(it.task, prepared))
    assert start(network, it, prepared)["vectors"].startswith("3 of ")


@pytest.mark.parametrize(
    ("file", "width", "rows", "note"),
    [
        ("test_glove.txt", 50, 76, None),
        ("pang_lee_polarity_fasttext.vec", 100, 1_694, "are no UTF-8"),
        ("word2vec_pre_kv_c", 10, 1_750, None),
        ("euclidean_vectors.bin", 10, 2_747, None),
        ("pretrained.vec", 5, 1, "says 3 rows, and it has 1"),
    ],
)
def test_the_files_of_gensim_are_read_as_they_are(
    file: str, width: int, rows: int, note: str | None, public_data: Any
) -> None:
    read = read_vectors(str(public_data("vec_gensim") / file), set())
    assert (read.width, read.rows) == (width, rows)
    assert (note in read.notes[0]) if note else not read.notes


# --- in a network


def experiment(folder: Path, **changes: Any) -> Experiment:
    rows = [
        "text,label",
        *(f"the w{i} {'good' if i % 2 else 'bad'} film,{i % 2}" for i in range(60)),
    ]
    (folder / "c.csv").write_text("\n".join(rows))
    tree = {
        "name": "p",
        "task": {"kind": "classification"},
        "data": {
            "source": {"kind": "labelled_text", "path": str(folder / "c.csv")},
            "split": {"kind": "fractions", "valid": 0.2, "test": 0.2},
        },
        "model": {"representation": {"kind": "embedding", "size": 3}, "hidden": 5},
        "train": {"epochs": 2},
    }
    return Experiment.model_validate(tree).replace(changes)


def test_known_words_start_at_their_vectors_and_coverage_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "g.txt", lines().encode())
    it = experiment(tmp_path, **{"model.representation.vectors": path})
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    network: Any = make_network(it, task)
    vocabulary = prepared.fitted.inputs.vocabulary or ()
    table = network.representation.vectors
    for word, row in WORDS.items():
        assert table[vocabulary.index(word)].tolist() == row
    others = torch.tensor([i for i, word in enumerate(vocabulary) if word not in WORDS and i])
    assert float(table[others].std().detach()) == pytest.approx(
        float(torch.tensor(list(WORDS.values())).std()), rel=0.35
    )
    assert table[0].abs().sum() == 0
    told = start(network, it, prepared)["vectors"]
    assert told.startswith(f"3 of {len(vocabulary) - 1:,} tokens (")
    assert "50.0% of the text" in told  # two of four words of each text


def test_a_file_with_every_word_and_the_reserved_ones_covers_all_tokens(tmp_path: Path) -> None:
    it = experiment(tmp_path)
    prepared = prepare(it.data, it.task, tmp_path)
    vocabulary = prepared.fitted.inputs.vocabulary or ()
    path = write(
        tmp_path, "all.txt", lines({word: [1.0, 2.0, 4.0] for word in vocabulary}).encode()
    )
    it = it.replace({"model.representation.vectors": path})
    network: Any = make_network(it, task_for(it.task, prepared))
    count = len(vocabulary) - 1  # the padding is no token
    assert start(network, it, prepared)["vectors"] == (
        f"{count} of {count} tokens (100.0%), 100.0% of the text"
    )
    assert network.representation.vectors[0].tolist() == [0, 0, 0]
    assert network.representation.vectors[1].tolist() == [1, 2, 4]  # that of <unk>


@pytest.mark.parametrize("freeze", [True, False])
def test_frozen_vectors_stay_and_others_learn(freeze: bool, tmp_path: Path) -> None:
    path = write(tmp_path, "g.txt", lines().encode())
    it = experiment(
        tmp_path,
        **{"model.representation.vectors": path, "model.representation.freeze": freeze},
    )
    prepared = prepare(it.data, it.task, tmp_path)
    last: Any = list(train(it, prepared, State.start()))[-1]
    table = last.state.weights["representation.vectors"]
    row = (prepared.fitted.inputs.vocabulary or ()).index("good")
    assert (table[row].tolist() == WORDS["good"]) == freeze
    before = make_network(it, task_for(it.task, prepared)).state_dict()
    assert not torch.equal(last.state.weights["head.weight"], before["head.weight"])


def test_a_finished_run_tells_what_the_vectors_covered(tmp_path: Path) -> None:
    path = write(tmp_path, "g.txt", f"5 3\n{lines()}".encode())
    it = experiment(tmp_path, **{"model.representation.vectors": path})
    told = train_in(tmp_path / "run", it, tmp_path).result["start"]["vectors"]
    assert told.startswith("3 of ")
    assert told.endswith("g.txt: its header says 5 rows, and it has 3")


def test_vectors_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "g.txt", lines().encode())
    wide = {"model.representation.vectors": path, "model.representation.size": 4}
    it = experiment(tmp_path, **wide)
    prepared = prepare(it.data, it.task, tmp_path)
    with pytest.raises(InputError, match=r"have 3 numbers and .*size is 4; set it to 3"):
        make_network(it, task_for(it.task, prepared))
    foreign = write(tmp_path, "f.txt", b"bonjour 1 2 3\n")
    it = experiment(tmp_path, **{"model.representation.vectors": foreign})
    with pytest.raises(InputError, match=r"has none of the .* tokens of these data"):
        make_network(it, task_for(it.task, prepared))


# --- another run's weights


def test_a_run_goes_on_from_anothers_weights(tmp_path: Path) -> None:
    it = experiment(tmp_path)
    first = train_in(tmp_path / "first", it, tmp_path).folder
    again = it.replace({"train.start_from": str(first.path), "seed": 5})
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    scores = [
        evaluate(network, task, prepared.splits["test"], it, False).metrics["loss"]
        for network in (make_network(again, task), load_predictor(first.path).network)
    ]
    assert scores[0] == scores[1]
    assert f"{first.path}, " in start(make_network(again, task), again, prepared)["start_from"]


def test_tokens_and_labels_are_matched_by_their_names(tmp_path: Path) -> None:
    first = train_in(tmp_path / "first", experiment(tmp_path), tmp_path).folder
    (tmp_path / "other").mkdir()
    it = experiment(tmp_path / "other", **{"train.start_from": str(first.path)})
    text = (tmp_path / "other" / "c.csv").read_text().replace(",1", ",9").replace("the", "a")
    (tmp_path / "other" / "c.csv").write_text(text)
    prepared = prepare(it.data, it.task, tmp_path / "other")
    network: Any = make_network(it, task_for(it.task, prepared))
    theirs = load_predictor(first.path)
    own, other = (
        prepared.fitted.inputs.vocabulary or (),
        theirs.prepared.fitted.inputs.vocabulary or (),
    )
    state = theirs.network.state_dict()
    for word in ("good", "film", "<unk>"):
        mine = network.representation.vectors[own.index(word)]
        assert torch.equal(mine, state["representation.vectors"][other.index(word)])
    assert "a" in own
    assert "a" not in other
    assert prepared.fitted.labels == ("0", "9")
    assert torch.equal(network.head.weight[0], state["head.weight"][0])
    assert not torch.equal(network.head.weight[1], state["head.weight"][1])


def test_what_is_written_is_matched_by_its_names(tmp_path: Path) -> None:
    def written(folder: Path, words: str, start_from: str | None) -> Experiment:
        folder.mkdir()
        rows = [f"{words[k % 3]} {words[(k // 3) % 3]}" for k in range(40)]
        text = "\n".join(f"{row}\t{row.upper()}" for row in [*rows, words[0], words[0]])
        path = folder / "p.tsv"
        path.write_text(f"source\ttarget\n{text}\n")
        split = {"kind": "files", "valid": str(path), "test": str(path)}
        return Experiment.model_validate(
            {
                "name": "w",
                "task": {"kind": "translation"},
                "data": {"source": {"kind": "pairs", "path": str(path)}, "split": split},
                "model": {"hidden": 4, "target_embedding": 3},
                "train": {"epochs": 1, "start_from": start_from},
            }
        )

    first = train_in(tmp_path / "first", written(tmp_path / "a", "abc", None), tmp_path).folder
    it = written(tmp_path / "b", "bcd", str(first.path))
    prepared, theirs = prepare(it.data, it.task, tmp_path), load_predictor(first.path)
    network: Any = make_network(it, task_for(it.task, prepared))
    state = theirs.network.state_dict()
    assert prepared.fitted.target is not None
    assert theirs.prepared.fitted.target is not None
    own, other = prepared.fitted.target.vocabulary, theirs.prepared.fitted.target.vocabulary
    assert own.index("B") != other.index("B")
    for part, table in (
        ("embedding.vectors", network.decoder.embedding.vectors),
        ("head.weight", network.decoder.head.weight),
        ("head.bias", network.decoder.head.bias),
    ):
        for word in ("C", "B", "<eos>"):
            assert table[own.index(word)].equal(state[f"decoder.{part}"][other.index(word)])
        assert not any(table[own.index("D")].equal(row) for row in state[f"decoder.{part}"])


def test_a_run_of_another_shape_is_refused(tmp_path: Path) -> None:
    first = train_in(tmp_path / "first", experiment(tmp_path), tmp_path).folder
    it = experiment(tmp_path, **{"train.start_from": str(first.path), "model.hidden": 6})
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    with pytest.raises(InputError, match=r"has the shape \(15, 3\) there and \(18, 3\) here"):
        make_network(it, task)
    deep = experiment(tmp_path, **{"train.start_from": str(first.path), "model.depth": 2})
    with pytest.raises(InputError, match=r"layer1.W_xh is not there and \(15, 5\) here"):
        make_network(deep, task)
    gone = experiment(tmp_path, **{"train.start_from": str(tmp_path / "gone")})
    with pytest.raises(InputError, match=r"train.start_from: .*gone: has no weights"):
        make_network(gone, task)


def test_bytes_that_params_name_are_part_of_a_runs_identity(tmp_path: Path) -> None:
    plain = experiment(tmp_path)
    path = write(tmp_path, "g.txt", lines().encode())
    it = experiment(tmp_path, **{"model.representation.vectors": path})
    first = identify([it])[0].inputs
    assert first != identify([plain])[0].inputs
    write(tmp_path, "g.txt", (lines() + "more 1 2 3\n").encode())
    assert identify([it])[0].inputs != first
    with pytest.raises(InputError, match="there is no such file"):
        identify([experiment(tmp_path, **{"model.representation.vectors": f"{path}x"})])


# --- a cell of one's own


CELL = """
from typing import NamedTuple
import torch
from torch import Tensor
from rnnkit.nn.cells.interface import Cell


class LeakyState(NamedTuple):
    h: Tensor


class Leaky(Cell):
    gates = ("h",)

    def __init__(self, inputs, hidden, params):
        super().__init__(inputs, hidden)
        self.leak = params.options.get("leak", 0.5)

    def step(self, inputs, state, kept=None):
        new = torch.tanh(inputs @ self.W_xh.T + self.b_h + self.recurrent(state.h, kept))
        return LeakyState((1 - self.leak) * state.h + self.leak * new{fault})

    def zeros(self, batch, dtype, device):
        return LeakyState(torch.zeros(batch, self.hidden, dtype=dtype, device=device))


class NoCell:
    pass
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def own(folder: Path, name: str, fault: str = "", **changes: Any) -> Experiment:
    (folder / f"{name}.py").write_text(CELL.replace("{fault}", fault))
    cell = {"kind": "custom", "module": f"{name}:Leaky", "options": {"leak": 0.25}}
    return experiment(folder, **{"model.cell": cell, **changes})


def broken(found: dict[str, Measured | None]) -> set[str]:
    """The invariants that do not hold."""
    return {name for name, measured in found.items() if measured and not measured.holds}


def test_a_cell_of_ones_own_trains_is_saved_and_predicts(here: Path) -> None:
    it = own(here, "my_leaky")
    cell: Any = make(it.model.cell, 2, 3)
    assert cell.leak == 0.25
    folder = train_in(here / "run", it, here).folder
    again = load(folder.path / "params.yaml")
    assert again == it
    assert "my_leaky:Leaky" in dump(it)
    (answer,) = load_predictor(folder.path)(["the good film"])
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert not broken(measure_invariants(it, prepare(it.data, it.task, here)))
    before = identify([it])[0].inputs
    (here / "my_leaky.py").write_text((here / "my_leaky.py").read_text() + "# changed\n")
    assert identify([it])[0].inputs != before


@pytest.mark.parametrize(
    ("name", "fault", "invariant"),
    [
        ("of_the_batch", " + 0.01 * new.mean()", "batch_invariance"),
        ("at_random", " + 0.01 * torch.rand_like(new)", "determinism"),
    ],
)
def test_a_cell_that_breaks_an_invariant_is_found(
    name: str, fault: str, invariant: str, here: Path
) -> None:
    it = own(here, name, fault)
    found = measure_invariants(it, prepare(it.data, it.task, here))
    assert invariant in broken(found)
    measured = found[invariant]
    assert measured is not None
    assert measured.value is not None
    assert measured.value > TOLERANCE
    assert f"outputs differ by {measured.value:.3g}" in measured.fault


@pytest.mark.parametrize(
    ("name", "fault", "invariant", "message"),
    [
        ("infinite", " / 0.0", "determinism", "outputs are not finite"),
        ("of_a_root", " + (0.0 * new).sqrt()", "finite_gradients", "cell.* is not finite"),
    ],
)
def test_what_is_not_finite_is_found(
    name: str, fault: str, invariant: str, message: str, here: Path
) -> None:
    it = own(here, name, fault)
    measured = measure_invariants(it, prepare(it.data, it.task, here))[invariant]
    assert measured is not None
    assert not measured.holds
    assert re.search(message, measured.fault)
    assert measured.value is None or measured.value >= 1


def test_a_network_that_looks_ahead_is_found(tmp_path: Path, monkeypatch: Any) -> None:
    from rnnkit.nn.model.network import Synced

    tree = {
        "name": "x",
        "task": {"kind": "tagging"},
        "data": {
            "source": {"kind": "builtin", "name": "python_tokens"},
            "tokenizer": {"kind": "characters"},
            "limit": 30,
        },
        "model": {"hidden": 4},
    }
    it = Experiment.model_validate(tree)
    prepared = prepare(it.data, it.task, tmp_path)
    found = measure_invariants(it, prepared)
    assert not broken(found)
    assert found["causality"] == Measured(True, 0.0, "")
    assert (
        measure_invariants(it.replace({"model.bidirectional": True}), prepared)["causality"] is None
    )
    right = Synced.run

    def looks_ahead(self: Any, inputs: Any, *rest: Any) -> Any:
        outputs, final = right(self, inputs, *rest)
        return outputs + 0.1 * outputs.flip(1), final

    monkeypatch.setattr(Synced, "run", looks_ahead)
    assert broken(measure_invariants(it, prepared)) >= {"causality"}


def test_a_cell_that_is_not_there_is_refused(here: Path) -> None:
    it = own(here, "some_cell")
    for module, message in (
        ("no_such_module:Leaky", "'no_such_module' cannot be imported"),
        ("some_cell:Nothing", "Nothing is not there in some_cell"),
        ("some_cell:NoCell", "NoCell is no class made of"),
    ):
        wrong = it.replace({"model.cell.module": module})
        with pytest.raises(InputError, match=message):
            make(wrong.model.cell, 2, 3)
    with pytest.raises(InputError, match="there is no module 'no_such_module'"):
        identify([it.replace({"model.cell.module": "no_such_module:Leaky"})])
    with pytest.raises(ValueError, match="should match pattern"):
        it.replace({"model.cell.module": "no colon"})
