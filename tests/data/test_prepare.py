"""Prepared data: their content for every task, their place on disk, and what bad data are told."""

import json
import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnnkit.data.prepare import data_sha256, prepare, scale, store, tokenize
from rnnkit.data.prepare.built import refuse_no_tokens
from rnnkit.data.prepare.prepared import END, UNKNOWN, Part, Prepared
from rnnkit.data.prepare.store import BUILDERS
from rnnkit.errors import InputError
from rnnkit.params import data as params
from rnnkit.params.data import BPE, Characters, Column, Data, Files, Time, Words
from rnnkit.params.source import Builtin, LabelledText, Table, Tokens
from rnnkit.params.source import Text as PlainText
from rnnkit.params.task import Classification, Forecasting, LanguageModeling, Tagging, Task

TRAIN, VALID, TEST = "train", "valid", "test"


def items(part: Part) -> list[tuple[list, list]]:
    """(inputs, targets) of every item."""
    slices = zip(
        part.input_start, part.input_length, part.target_start, part.target_length, strict=True
    )
    return [
        (part.inputs[a : a + n].tolist(), part.targets[b : b + m].tolist()) for a, n, b, m in slices
    ]


def words(prepared: Prepared, ids: list[int]) -> list[str]:
    assert prepared.vocabulary is not None
    return [prepared.vocabulary[id] for id in ids]


@pytest.fixture
def labelled(tmp_path: Path) -> Data:
    rows = ["text,label,split", "a b a,x,train", "b c,y,train", "a d <pad>,x,valid", "b,y,test"]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    return Data(source=LabelledText(path=str(tmp_path / "a.csv")), split=Column())


@pytest.fixture
def tagged(tmp_path: Path) -> Data:
    rows = [(["A", "b"], ["x", "y"], TRAIN), (["b"], ["x"], VALID), (["c", "b"], ["y", "y"], TEST)]
    lines = [json.dumps(dict(zip(("tokens", "tags", "split"), row, strict=True))) for row in rows]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    return Data(source=Tokens(path=str(tmp_path / "a.jsonl")), split=Column())


@pytest.fixture
def text(tmp_path: Path) -> Data:
    for name, content in {TRAIN: "a b\nb\n", VALID: "b <unk> c\n", TEST: "a\nb\n"}.items():
        (tmp_path / name).write_text(content)
    split = Files(valid=str(tmp_path / VALID), test=str(tmp_path / TEST))
    return Data(source=PlainText(path=str(tmp_path / TRAIN)), split=split)


@pytest.fixture
def table(tmp_path: Path) -> Data:
    lines = [f"2024-01-{day:02d},{day},{10 - day},7" for day in range(1, 31)]
    (tmp_path / "t.csv").write_text("\n".join(["time,up,down,flat", *lines]))
    split = Time(valid="2024-01-11", test="2024-01-21", until="2024-01-29")
    return Data(source=Table(path=str(tmp_path / "t.csv")), split=split, window=3)


# What each task is given


def test_every_task_of_the_params_has_a_builder() -> None:
    tasks = get_args(get_args(Task)[0])
    assert set(BUILDERS) == {task.model_fields["kind"].default for task in tasks}


def test_classification(labelled: Data, tmp_path: Path) -> None:
    prepared = prepare(labelled, Classification(), tmp_path)
    assert prepared.vocabulary == ("<pad>", "<unk>", "a", "b", "c")  # of train, by frequency
    assert prepared.labels == ("x", "y")
    assert items(prepared.parts[TRAIN]) == [([2, 3, 2], [0]), ([3, 4], [1])]
    # A word that is named as padding is unknown, and no padding.
    assert items(prepared.parts[VALID]) == [([2, UNKNOWN, UNKNOWN], [0])]
    assert prepared.parts[VALID].item.tolist() == [2]
    assert prepared.facts["unknown"][VALID] == pytest.approx(2 / 3)
    assert prepared.facts["labels"][TRAIN] == {"x": 1, "y": 1}
    assert prepared.facts["vocabulary"] == 4
    assert prepared.features is None


def test_classification_of_frames(tmp_path: Path) -> None:
    prepared = prepare(Data(source=Builtin(name="digits")), Classification(), tmp_path)
    assert prepared.features == 8
    assert prepared.vocabulary is None
    assert prepared.labels == tuple("0123456789")
    part = prepared.parts[TRAIN]
    assert part.inputs.dtype == torch.float32
    assert part.inputs.shape == (8 * len(part), 8)
    assert part.equal_length


def test_many_unknown_tokens_are_told(labelled: Data, tmp_path: Path) -> None:
    prepared = prepare(labelled, Classification(), tmp_path)
    assert prepared.unknown["tokens"][VALID] == pytest.approx(2 / 3)
    told = "tokens that are not in the vocabulary and look all alike: up to 67% of a part"
    assert told in prepared.notes


def test_longer_items_are_cut_and_counted(labelled: Data, tmp_path: Path) -> None:
    short = labelled.model_copy(update={"max_length": 2})
    prepared = prepare(short, Classification(), tmp_path)
    assert items(prepared.parts[TRAIN]) == [([2, 3], [0]), ([3, 4], [1])]
    assert prepared.facts["truncated"] == {TRAIN: 1, VALID: 1, TEST: 0}
    assert "items cut at data.max_length: 2" in prepared.notes
    assert prepared.facts["tokens"][TRAIN] == 4


def test_tagging(tagged: Data, tmp_path: Path) -> None:
    prepared = prepare(tagged, Tagging(), tmp_path)
    assert prepared.vocabulary == ("<pad>", "<unk>", "A", "b")
    assert items(prepared.parts[TRAIN]) == [([2, 3], [0, 1])]
    assert items(prepared.parts[TEST]) == [([UNKNOWN, 3], [1, 1])]
    assert prepared.parts[TRAIN].synced
    lower = tagged.model_copy(update={"tokenizer": Words(lowercase=True)})
    assert prepare(lower, Tagging(), tmp_path).vocabulary == ("<pad>", "<unk>", "a", "b")


def test_one_token_items_stay_synced_on_disk(tagged: Data, tmp_path: Path) -> None:
    part = prepare(tagged, Tagging(), tmp_path).parts[VALID]
    assert part.target_length is part.input_length
    assert part.synced


def test_language_modeling_with_a_window_for_each_item(text: Data, tmp_path: Path) -> None:
    prepared = prepare(text, LanguageModeling(), tmp_path)
    assert prepared.vocabulary == ("<pad>", "<unk>", "<eos>", "b", "a")
    a, b = 4, 3
    assert items(prepared.parts[TRAIN]) == [([END, a, b], [a, b, END]), ([END, b], [b, END])]
    assert items(prepared.parts[VALID]) == [([END, b, 1, 1], [b, 1, 1, END])]
    assert prepared.facts["tokens"] == {TRAIN: 5, VALID: 4, TEST: 4}
    assert prepared.parts[TRAIN].item.tolist() == [0, 1]
    assert prepared.parts[TRAIN].synced


def test_language_modeling_in_windows_that_follow_one_another(text: Data, tmp_path: Path) -> None:
    windowed = text.model_copy(update={"max_length": 2})
    part = prepare(windowed, LanguageModeling(), tmp_path).parts[TRAIN]
    a, b = 4, 3
    assert items(part) == [([END, a], [a, b]), ([b, END], [END, b]), ([b], [END])]
    assert part.item.tolist() == [0, 0, 1]  # the item of each window's first target
    predicted = [token for _, targets in items(part) for token in targets]
    assert predicted == [a, b, END, b, END]


def test_forecasting(table: Data, tmp_path: Path) -> None:
    raw = table.model_copy(update={"scaling": "none"})
    prepared = prepare(raw, Forecasting(horizon=2, targets=("down",)), tmp_path)
    assert prepared.features == 3
    assert prepared.facts["rows"] == {TRAIN: 10, VALID: 10, TEST: 8}
    assert prepared.facts["unused"] == 2
    assert prepared.facts["time"][VALID] == ["2024-01-11T00:00:00", "2024-01-20T00:00:00"]
    train, valid = (items(prepared.parts[part]) for part in (TRAIN, VALID))
    assert len(train) == 10 - 3 - 2 + 1
    assert train[0] == ([[1, 9, 7], [2, 8, 7], [3, 7, 7]], [[6], [5]])
    assert len(valid) == 10 - 2 + 1
    assert valid[0] == ([[8, 2, 7], [9, 1, 7], [10, 0, 7]], [[-1], [-2]])  # reaches back
    assert valid[-1][1] == [[-9], [-10]]
    assert prepared.parts[VALID].inputs is prepared.parts[TRAIN].inputs
    assert prepared.parts[TEST].item[0] == 20


def test_scaling_is_fitted_on_the_training_rows_alone(table: Data, tmp_path: Path) -> None:
    prepared = prepare(table, Forecasting(targets=("down", "up")), tmp_path)
    train = prepared.parts[TRAIN].inputs[:10].double()
    # float32 on disk: seven digits.
    assert train[:, :2].mean(dim=0).abs().max() < 1e-6
    assert train[:, :2].std(dim=0, correction=0).sub(1).abs().max() < 1e-6
    assert (prepared.parts[TRAIN].inputs[:, 2] == 0).all()  # a constant column
    assert prepared.scaler is not None
    back = prepared.scaler.inverse(prepared.parts[TRAIN].targets)
    days = torch.arange(1, 29, dtype=torch.float64)
    assert (back - torch.stack([10 - days, days], dim=1)).abs().max() < 1e-5


def test_a_limit_takes_the_latest_windows_of_a_series(table: Data, tmp_path: Path) -> None:
    prepared = prepare(table.model_copy(update={"limit": 2}), Forecasting(), tmp_path)
    assert [part.item.tolist() for part in prepared.parts.values()] == [[8, 9], [18, 19], [26, 27]]


# Scaler


VALUES = arrays(
    np.float64,
    st.tuples(st.integers(1, 8), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


@given(VALUES, st.sampled_from(["standard", "minmax", "none"]))
def test_a_scaler_is_undone_by_its_inverse(values: np.ndarray, kind: scale.Kind) -> None:
    columns = tuple(f"c{k}" for k in range(values.shape[1]))
    scaler = scale.fit(kind, values, columns, columns[::-1])
    scaled = scaler.transform(values)
    assert np.isfinite(scaled).all()
    back = scaler.inverse(torch.from_numpy(scaled[:, ::-1].copy())).numpy()[:, ::-1]
    # Rounding of the values and of their difference from the offset, at most 1e6.
    assert np.allclose(back, values, rtol=1e-12, atol=1e-8)
    if kind == "minmax":
        assert scaled.min() >= 0
        assert scaled.max() <= 1
    assert scale.Scaler.from_json(json.loads(json.dumps(scaler.to_json()))) == scaler


def test_a_scaler_refuses_another_number_of_targets() -> None:
    scaler = scale.fit("none", np.ones((2, 2)), ("a", "b"), ("a",))
    with pytest.raises(ValueError, match="last dimension must be the 1 targets"):
        scaler.inverse(torch.zeros(3, 2))


# Tokenizers


@given(st.text(max_size=30))
def test_characters_come_back_as_they_were(text: str) -> None:
    fitted = tokenize.fit(Characters(), [text, "x"], end=False)
    ids, lengths = fitted.encode([text])
    assert lengths.tolist() == [len(text)]
    assert UNKNOWN not in ids
    assert fitted.decode(ids.tolist()) == text


@given(st.text(max_size=30))
def test_bpe_gives_back_any_text_also_one_it_never_saw(text: str) -> None:
    ids, _ = BPE_FITTED.encode([text])
    assert (ids > END).all()
    assert BPE_FITTED.decode(ids.tolist()) == text


BPE_FITTED = tokenize.fit(BPE(vocabulary=300), ["low lower lowest " * 5], end=True)


def test_bpe_learns_as_many_tokens_as_it_may_and_the_same_each_time() -> None:
    texts = ["the cat sat on the mat and the other cat sat too " * 3, "<pad> <eos>"]
    fitted = tokenize.fit(BPE(vocabulary=300), texts, end=True)
    assert len(fitted.vocabulary) <= 303
    assert fitted.vocabulary[:3] == ("<pad>", "<unk>", "<eos>")
    assert tokenize.fit(BPE(vocabulary=300), texts, end=True).vocabulary == fitted.vocabulary
    ids, _ = fitted.encode(["<pad>"])
    assert (ids > END).all()


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("spaces", ["Don't", "stop,\u00a0now", "<unk>", "a\nb"]),
        ("whitespace", ["Don't", "stop,", "now", "<unk>", "a", "b"]),
        ("punctuation", ["Don", "'", "t", "stop", ",", "now", "<", "unk", ">", "a", "b"]),
    ],
)
def test_words_are_split_as_params_say(split: str, expected: list[str]) -> None:
    sentence = "Don't  stop,\u00a0now <unk> a\nb"
    fitted = tokenize.fit(Words(split=split), [sentence], end=False)  # type: ignore[arg-type]
    ids, _ = fitted.encode([sentence])
    assert [fitted.vocabulary[id] for id in ids] == expected
    assert fitted.decode(ids.tolist()) == " ".join(expected)


def test_the_rarest_words_become_the_unknown_token() -> None:
    texts = ["a a a b b c <unk> <unk> <unk> <unk>"]
    assert tokenize.fit(Words(vocabulary=2), texts, end=False).vocabulary[2:] == ("a", "b")
    assert tokenize.fit(Words(minimum_count=3), texts, end=False).vocabulary[2:] == ("a",)
    tokens = [texts[0].split()]
    assert tokenize.fit_tokens(Words(vocabulary=2), tokens).vocabulary[2:] == ("a", "b")
    assert tokenize.fit_tokens(Words(minimum_count=3), tokens).vocabulary[2:] == ("a",)


def test_texts_and_lists_of_tokens_get_the_same_ids() -> None:
    texts = ["The cat", "the mat the"]
    lists = [line.split(" ") for line in texts]
    for lowercase in (False, True):
        fitted = tokenize.fit(Words(lowercase=lowercase), texts, end=False)
        same = tokenize.fit_tokens(Words(lowercase=lowercase), lists)
        assert fitted.vocabulary == same.vocabulary
        assert fitted.encode(texts)[0].tolist() == same.encode_tokens(lists)[0].tolist()


def test_the_stored_tokenizer_is_the_fitted_one(text: Data, tmp_path: Path) -> None:
    for params_of_it in (Words(), BPE(vocabulary=300), Characters()):
        data = text.model_copy(update={"tokenizer": params_of_it})
        prepared = prepare(data, LanguageModeling(), tmp_path)
        stored = prepared.tokenizer
        assert stored is not None
        assert stored.vocabulary == prepared.vocabulary
        targets = [token for _, found in items(prepared.parts[TEST]) for token in found]
        assert stored.decode(targets).replace(" ", "") == "ab"


# On disk


CHANGES: dict[str, Callable[[Data], Data]] = {
    "window": lambda data: data.model_copy(update={"window": 4}),
    "scaling": lambda data: data.model_copy(update={"scaling": "minmax"}),
    "limit": lambda data: data.model_copy(update={"limit": 1}),
    "split": lambda data: data.model_copy(update={"split": Time()}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_hash_follows_the_data_params(table: Data, change: str) -> None:
    assert data_sha256(CHANGES[change](table), Forecasting()) != data_sha256(table, Forecasting())


def test_the_hash_follows_the_bytes_and_the_shaping_task_params_alone(table: Data) -> None:
    before = data_sha256(table, Forecasting())
    assert before == data_sha256(table.model_copy(update={"padding": "pre"}), Forecasting(season=7))
    others: list[Task] = [Forecasting(horizon=2), Forecasting(targets=("up",)), Tagging()]
    assert len({before, *(data_sha256(table, task) for task in others)}) == 4
    assert isinstance(table.source, Table)
    path = Path(table.source.path)
    path.write_text(path.read_text().replace("7", "8"))
    assert data_sha256(table, Forecasting()) != before


def test_the_hash_needs_neither_torch_nor_pandas() -> None:
    program = (
        "import sys\n"
        "from rnnkit.params.data import Data\n"
        "from rnnkit.params.source import Builtin\n"
        "from rnnkit.params.task import Tagging\n"
        "from rnnkit.data.prepare import data_sha256\n"
        "data_sha256(Data(source=Builtin(name='python_tokens')), Tagging())\n"
        "heavy = {'torch', 'pandas', 'numpy', 'tokenizers'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_hit_is_not_built_again(
    labelled: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare(labelled, Classification(), tmp_path)
    monkeypatch.setattr("rnnkit.data.sources.read", None)
    again = prepare(labelled, Classification(), tmp_path)
    assert again.facts == first.facts
    assert items(again.parts[TEST]) == items(first.parts[TEST])
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == [first.sha256]
    with pytest.raises(TypeError, match="params are frozen"):
        again.facts["items"] = 0  # type: ignore[index]


@pytest.mark.parametrize("damage", ["tensors.safetensors", "prepared.json", "manifest.json"])
def test_damaged_data_are_built_again_with_a_warning(
    labelled: Data, tmp_path: Path, damage: str
) -> None:
    first = prepare(labelled, Classification(), tmp_path)
    before = items(first.parts[TRAIN])
    path = tmp_path / "prepared" / first.sha256 / damage
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.unlink()  # the loaded tensors are mapped from the old file
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"stored data must be as they were written, but"):
        again = prepare(labelled, Classification(), tmp_path)
    assert items(again.parts[TRAIN]) == before
    assert [path.name for path in (tmp_path / "prepared").iterdir()] == [first.sha256]


def test_a_failure_leaves_nothing_behind(
    labelled: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rnnkit.data.prepare.store.write_json", full)
    with pytest.raises(OSError, match="No space left"):
        prepare(labelled, Classification(), tmp_path)
    assert list((tmp_path / "prepared").iterdir()) == []


def test_processes_may_race(labelled: Data, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=prepare, args=(labelled, Classification(), tmp_path))
        for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list((tmp_path / "prepared").iterdir())) == 1


def test_the_second_of_two_takes_what_the_first_has_made(
    labelled: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "prepared" / data_sha256(labelled, Classification())
    read = store.sources.read

    def overtaken(source: params.Source, split: params.Split) -> object:
        frame = read(source, split)
        monkeypatch.setattr("rnnkit.data.sources.read", read)
        prepare(labelled, Classification(), tmp_path)
        return frame

    monkeypatch.setattr("rnnkit.data.sources.read", overtaken)
    prepared = prepare(labelled, Classification(), tmp_path)
    assert len(prepared.parts[TRAIN]) == 2
    assert [path.name for path in place.parent.iterdir()] == [place.name]


# Too little data


def with_rows(folder: Path, *rows: str) -> Data:
    (folder / "few.csv").write_text("\n".join(["text,label,split", *rows]))
    return Data(source=LabelledText(path=str(folder / "few.csv")), split=Column())


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a,x,train", "b,y,test"], r"but valid has none of the 2"),
        (["a,x,train", "b,x,valid", "c,x,test"], r"two different labels .* but all are 'x'"),
        (
            ["a,x,train", "b,y,train", "c,z,valid", "d,x,test"],
            r"every label must occur in the training part, but valid has 1 .* is 'z'",
        ),
    ],
)
def test_too_few_labelled_items(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare(with_rows(tmp_path, *rows), Classification(), tmp_path)


def test_an_item_of_no_token_is_refused() -> None:
    flat, lengths = tokenize.fit(Words(), ["a"], end=False).encode(["a a", "   "])
    assert (flat.tolist(), lengths.tolist()) == ([2, 2], [2, 0])
    with pytest.raises(InputError, match=r"1 of the train part have none, the first is row 8;"):
        refuse_no_tokens(TRAIN, lengths, np.array([3, 7]))


def test_unseen_tags_and_long_characters(tagged: Data, tmp_path: Path) -> None:
    assert isinstance(tagged.source, Tokens)
    path = Path(tagged.source.path)
    path.write_text(path.read_text().replace('["b"], "tags": ["x"]', '["bb"], "tags": ["z"]'))
    with pytest.raises(InputError, match=r"every tag must occur .* but valid has 1 .* is 'z'"):
        prepare(tagged, Tagging(), tmp_path)
    characters = tagged.model_copy(update={"tokenizer": Characters()})
    with pytest.raises(InputError, match=r"tokens of one character, but row 2 has 'bb'; use"):
        prepare(characters, Tagging(), tmp_path)


@pytest.mark.parametrize(
    ("window", "task", "message"),
    [
        (9, Forecasting(horizon=2), r"but train has 10 rows and needs window 9 \+ horizon 2"),
        (1, Forecasting(horizon=9), r"but test has 8 rows and needs horizon 9, after 1 rows"),
        (3, Forecasting(targets=("upp",)), r"no column 'upp' \(did you mean up\?\); the columns"),
    ],
)
def test_a_series_that_is_too_short(
    table: Data, tmp_path: Path, window: int, task: Forecasting, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        prepare(table.model_copy(update={"window": window}), task, tmp_path)


# Real data


def test_python_tokens(tmp_path: Path) -> None:
    data = Data(source=Builtin(name="python_tokens"), tokenizer=Characters(), max_length=200)
    prepared = prepare(data, Tagging(), tmp_path)
    assert prepared.labels is not None
    assert len(prepared.labels) == 9
    assert sum(prepared.facts["tokens"].values()) > 1_000_000
    assert prepared.facts["truncated"] == {TRAIN: 0, VALID: 0, TEST: 0}
    assert max(prepared.facts["unknown"].values()) < 0.001


def test_penn_treebank(public_data: Callable[[str], Path], tmp_path: Path) -> None:
    folder = public_data("lm_ptb")
    split = Files(valid=str(folder / "ptb.valid.txt"), test=str(folder / "ptb.test.txt"))
    source = PlainText(path=str(folder / "ptb.train.txt"))
    data = Data(source=source, split=split, max_length=35)
    prepared = prepare(data, LanguageModeling(), tmp_path)
    assert prepared.vocabulary is not None
    assert prepared.facts["vocabulary"] == len(prepared.vocabulary) - 1 == 10_000
    assert prepared.facts["tokens"] == {TRAIN: 929_589, VALID: 73_760, TEST: 82_430}
    test = prepared.parts[TEST]
    assert int(test.target_length.sum()) == 82_430
    assert all(a + 35 == b for a, b in pairwise(test.input_start.tolist()))
    # <unk> of the text is the unknown token: 4,794 in test, and no other word is unknown.
    assert int((test.targets[1:] == UNKNOWN).sum()) == 4_794 - int(test.inputs[1] == UNKNOWN)
    assert prepared.facts["texts"] == {TRAIN: 42_068, VALID: 3_370, TEST: 3_761}
    # Unigram perplexity of the training part on test, from the data set's README.
    counts = torch.bincount(prepared.parts[TRAIN].targets[1:], minlength=10_001).double()
    nats = -(counts / counts.sum()).log()[test.targets[1:]].mean()
    assert float(nats.exp()) == pytest.approx(639.30, abs=0.01)


def test_sst2(public_data: Callable[[str], Path], tmp_path: Path) -> None:
    folder = public_data("cls_sst2")
    split = Files(valid=str(folder / "stsa.binary.dev"), test=str(folder / "stsa.binary.test"))
    data = Data(source=LabelledText(path=str(folder / "stsa.binary.train")), split=split)
    prepared = prepare(data, Classification(), tmp_path)
    assert prepared.facts["items"] == {TRAIN: 6_920, VALID: 872, TEST: 1_821}
    labels = prepared.facts["labels"][TEST]
    assert max(labels.values()) / sum(labels.values()) == pytest.approx(0.501, abs=0.0005)
    assert prepared.facts["longest"][TEST] == 56
    assert prepared.vocabulary is not None
    assert any("\u00a0" in word for word in prepared.vocabulary)


def test_etth1(public_data: Callable[[str], Path], tmp_path: Path) -> None:
    source = Table(path=str(public_data("ts_etth1") / "ETTh1.csv"), time="date")
    split = Time(valid="2017-06-26", test="2017-10-24", until="2018-02-21")
    data = Data(source=source, split=split, window=96)
    prepared = prepare(data, Forecasting(horizon=24), tmp_path)
    assert prepared.facts["rows"] == {TRAIN: 8_640, VALID: 2_880, TEST: 2_880}
    assert prepared.facts["items"][TEST] == 2_857
    # Repeating the last day, from the data set's README: MSE .4244, MAE .3892 on scaled data.
    test = prepared.parts[TEST]
    steps = torch.arange(24)
    truth = test.targets[test.target_start[:, None] + steps]
    last_day = test.inputs[test.target_start[:, None] - 24 + steps]
    assert float((truth - last_day).square().mean()) == pytest.approx(0.4244, abs=0.0001)
    assert float((truth - last_day).abs().mean()) == pytest.approx(0.3892, abs=0.0001)
