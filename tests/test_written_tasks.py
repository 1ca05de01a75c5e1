"""Translation, captioning and transcription as tasks: prepared, scored, predicted, streamed."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from sacrebleu.metrics.bleu import BLEU
from training import train_in

from rnnkit import baselines, lines
from rnnkit.conclude import PREDICTIONS, verdict
from rnnkit.cost import estimate
from rnnkit.errors import InputError
from rnnkit.evaluate import evaluate
from rnnkit.generate import generate
from rnnkit.metrics import TextMeter, TranscriptMeter, least_edits
from rnnkit.model.writing import EncoderDecoder
from rnnkit.params import Experiment
from rnnkit.predict import Predictor, load
from rnnkit.prepare import prepare
from rnnkit.prepare.audio import sizes
from rnnkit.prepare.prepared import END, UNKNOWN
from rnnkit.prepare.retrained import train_and_valid
from rnnkit.report.mistakes import mistakes
from rnnkit.rescore import rescore
from rnnkit.runfolder import RunFolder
from rnnkit.served import Served
from rnnkit.sources import read, touch_tones
from rnnkit.stream import Stream
from rnnkit.tasks import task_for
from rnnkit.tasks.written import WritingMeter
from rnnkit.train import State, train

LOWERED = (", texts", " in lower case, texts cut at punctuation")
TURNING = {"attention": "dot", "hidden": 32, "bidirectional": True}
WORDS = ["ab", "cd", "ef", "gh"]


def pairs(folder: Path, *, count: int = 60, more: str = "") -> dict[str, Any]:
    """Words, and the same backwards."""
    rows = [[WORDS[(k // 4**i) % 4] for i in range(2 + k % 3)] for k in range(count)]
    text = "\n".join(f"{' '.join(row)}\t{' '.join(reversed(row))}" for row in rows)
    (folder / "p.tsv").write_text(f"source\ttarget\n{text}\n{more}")
    return {"kind": "pairs", "path": str(folder / "p.tsv")}


def names(folder: Path) -> dict[str, Any]:
    rows = [f"{'abc'[k % 3] * (1 + k % 4)},{'left' if k % 2 else 'right'}" for k in range(60)]
    (folder / "n.csv").write_text("\n".join(["text,label", *rows]))
    return {"kind": "labelled_text", "path": str(folder / "n.csv")}


def experiment_of(
    task: str, source: dict[str, Any], *, data: Any = None, model: Any = None, **more: Any
) -> Experiment:
    tree = {
        "name": "w",
        "task": {"kind": task, **more},
        "data": {
            "source": source,
            "split": {"kind": "fractions", "valid": 0.2, "test": 0.2},
            **(data or {}),
        },
        "model": {"hidden": 8, "target_embedding": 6, **(model or {})},
        "train": {"epochs": 2, "batch_size": 8},
    }
    if task == "transcription":
        del tree["model"]["target_embedding"]
    return Experiment.model_validate(tree)


def run(folder: Path, experiment: Experiment) -> Predictor:
    return load(train_in(folder / "run", experiment, folder).folder.path)


# --- metrics


def test_bleu_is_sacrebleus_between_0_and_1() -> None:
    texts = ["the cat sat on the mat today", "a dog ran over the old bridge"]
    truth = ["the cat sat on a mat today", "a dog ran over an old bridge"]
    meter = TextMeter("13a")
    meter.update([0, 1], texts, truth)
    theirs = BLEU().corpus_score(texts, [truth]).score / 100
    assert meter.compute()["bleu"] == pytest.approx(theirs)
    assert 0 < theirs < 1
    assert "tok:13a" in meter.signature
    assert "version:" in meter.signature


def test_any_of_several_references_is_right_and_the_nearest_counts() -> None:
    meter = TextMeter("none")
    meter.update(["x", "x", "y"], ["a b", "a b", "c"], ["a b", "z z z", "d e"])
    found = meter.compute()
    assert found["sequence_accuracy"] == 0.5
    assert found["wer"] == pytest.approx((0 + 2) / (2 + 2))


def test_edits_are_counted_against_the_nearest_reference() -> None:
    assert least_edits("a b c x", ["a b c d"]) == (1, 4)
    assert least_edits("z z z z", ["a b c d", "z"]) == (4, 4)  # 3 of 1 is a higher rate
    assert least_edits("a b", ["a c", "a b"]) == (0, 2)
    assert least_edits("a b", [" "]) == (2, 0)
    assert least_edits("", ["a b"]) == (2, 2)


def test_error_rates_of_transcripts() -> None:
    meter = TranscriptMeter()
    meter.update(["one two", "three"], ["one too", "three four"])
    found = meter.compute()
    assert found["wer"] == pytest.approx(2 / 4)
    assert found["cer"] == pytest.approx((1 + 4) / (6 + 9))
    assert found["sequence_accuracy"] == 0.0


def test_sources_that_differ_in_an_unknown_word_are_different_questions(tmp_path: Path) -> None:
    source = pairs(tmp_path)
    rows = ["ab NEWONE\tx y", "ab NEWTWO\tx z", "ab NEWTHREE\ty z", "ab cd\tx y", "ab cd\tz z"]
    (tmp_path / "test.tsv").write_text("source\ttarget\n" + "\n".join(rows) + "\n")
    split = {"kind": "files", "valid": str(tmp_path / "p.tsv"), "test": str(tmp_path / "test.tsv")}
    predictor = run(tmp_path, it := experiment_of("translation", source, data={"split": split}))
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    found = evaluate(predictor.network, task, prepared.parts["test"], it, True).predictions
    assert found is not None
    assert found["asked"].nunique() == 4  # the last two ask for the same
    assert found["length"].tolist() == [2] * 5
    copied = baselines.score(task, prepared, prepared.parts["test"])["copied source"]
    assert copied["sequence_accuracy"] == 0
    assert copied["wer"] == 1.0  # four questions of two words each, and none of these is right


# --- prepared


def test_targets_end_and_references_keep_what_the_vocabulary_lacks(tmp_path: Path) -> None:
    source = pairs(tmp_path)
    (tmp_path / "test.tsv").write_text("source\ttarget\nab cd\tcd NEW\n")
    split = {"kind": "files", "valid": str(tmp_path / "p.tsv"), "test": str(tmp_path / "test.tsv")}
    it = experiment_of("translation", source, data={"split": split})
    prepared = prepare(it.data, it.task, tmp_path)
    part = prepared.parts["test"]
    assert part.targets[-1] == END
    assert part.targets[-2] == UNKNOWN
    assert list(prepared.references.values())[-1] == "cd NEW"
    assert part.unaligned
    assert prepared.facts["targets"]["test"] == 3


@pytest.mark.parametrize("joint", [False, True])
def test_vocabularies_are_separate_or_joint(tmp_path: Path, joint: bool) -> None:
    source = pairs(tmp_path, more="only source\tonly target\n" * 30)
    it = experiment_of("translation", source, data={"joint": joint})
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.vocabulary is not None
    assert prepared.target is not None
    assert ("target" in prepared.vocabulary) is joint
    assert ("source" in prepared.target.vocabulary) is joint


def test_bpe_on_both_sides_gives_the_text_back(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path), data={"tokenizer": {"kind": "bpe"}})
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.target is not None
    part = prepared.parts["valid"]
    for k in range(len(part)):
        start, length = int(part.target_start[k]), int(part.target_length[k])
        ids = part.targets[start : start + length].tolist()
        assert ids[-1] == END
        assert prepared.target.decode(ids) == prepared.references[int(part.item[k])]
        pieces = [prepared.target.piece(token) for token in ids]
        assert pieces.pop() == "<eos>"
        assert "".join(pieces) == prepared.references[int(part.item[k])]


def test_long_pairs_are_left_out_of_training_alone(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path), data={"max_length": 3})
    prepared = prepare(it.data, it.task, tmp_path)
    left_out = prepared.facts["left_out"]
    assert left_out > 0
    assert prepared.notes == [f"items of train longer than data.max_length, left out: {left_out}"]
    assert int(prepared.parts["train"].input_length.max()) == 3
    assert int(prepared.parts["test"].input_length.max()) == 4


def test_nothing_left_to_train_on_is_refused(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path), data={"max_length": 1})
    with pytest.raises(InputError, match="every item of the training part is longer than 1"):
        prepare(it.data, it.task, tmp_path)


def test_an_empty_source_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.tsv"
    path.write_text("source\ttarget\n" + "a\tb\n" * 20 + "\tb\n")
    it = experiment_of("translation", {"kind": "pairs", "path": str(path)})
    with pytest.raises(InputError, match=r"line 22: column 'source' must hold text"):
        prepare(it.data, it.task, tmp_path)


# --- trained and scored


def test_it_learns_to_turn_words_round_and_the_table_says_so(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path, count=300), model=TURNING, beam=3).replace(
        {"train.epochs": 15, "train.optimizer.learning_rate": 5e-3, "train.schedule.kind": "cosine"}
    )
    prepared = prepare(it.data, it.task, tmp_path)
    *_, last = train(it, prepared, State.start())
    assert last.valid["sequence_accuracy"] > 0.7
    assert last.valid["wer"] < 0.2
    task = task_for(it.task, prepared)
    network = task.network(it.model, torch.Generator())
    network.load_state_dict(last.state.weights)
    scores = evaluate(network, task, prepared.parts["test"], it, predictions=True)
    table = scores.predictions
    assert table is not None
    assert (table["right"] == (table["truth"] == table["predicted"])).all()
    assert scores.metrics["perplexity"] == pytest.approx(np.exp(scores.metrics["loss"]), rel=1e-5)
    for pieces, weights in zip(table["pieces"], table["attention"], strict=True):
        assert len(pieces) == len(weights)
        assert np.allclose([sum(row) for row in weights], 1, atol=0.01)
    found = baselines.score(task, prepared, prepared.parts["test"])
    assert set(found) == {"copied source", "constant text", "nearest source"}
    assert all(metrics["bleu"] < scores.metrics["bleu"] for metrics in found.values())


def test_any_reference_is_right_in_the_table_too(tmp_path: Path) -> None:
    source = pairs(tmp_path)
    rows = [line.split("\t")[0] for line in Path(source["path"]).read_text().splitlines()[1:]]
    both = [f"{row}\t{text}" for row in rows for text in ("this", "that")]
    Path(source["path"]).write_text("\n".join(["source\ttarget", *both]))
    longer = {"train.epochs": 10, "train.optimizer.learning_rate": 2e-2}
    it = experiment_of("translation", source).replace(longer)
    trained = train_in(tmp_path / "run", it, tmp_path)
    table = pandas.read_parquet(trained.folder.path / "predictions.parquet")
    assert len(table) > table["asked"].nunique()
    asked = table.groupby("asked")["right"].first()
    assert asked.mean() == pytest.approx(trained.result["test"]["sequence_accuracy"])
    assert (table["right"] == table["predicted"].isin(["this", "that"])).all()
    assert table["right"].any()


def test_a_metric_that_is_the_same_of_both_decides_nothing(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path))
    task = task_for(it.task, prepare(it.data, it.task, tmp_path))
    ours = {"bleu": 0.0, "sequence_accuracy": 1.0, "wer": 0.0}
    theirs = {"copied source": {"bleu": 0.0, "sequence_accuracy": 0.5, "wer": 0.6}}
    told = verdict(task, ours, theirs)
    assert told.startswith("The network beats its best baseline, copied source: ")
    assert "bleu" not in told
    assert verdict(task, theirs["copied source"], theirs) == (
        "The network is no better than its best baseline, copied source: bleu 0 against 0."
    )


def test_a_baseline_that_is_as_good_is_beaten_by_no_metric_it_lacks(tmp_path: Path) -> None:
    it = experiment_of("captioning", names(tmp_path))
    task = task_for(it.task, prepare(it.data, it.task, tmp_path))
    object.__setattr__(task.prepared, "vocabulary", None)  # as of vectors
    ours = {"sequence_accuracy": 1.0, "accuracy": 1.0, "perplexity": 1.1, "bleu": 0.0}
    nearest = {"sequence_accuracy": 1.0, "bleu": 0.0}
    bigram = {"accuracy": 0.8, "perplexity": 1.7}
    assert verdict(task, ours, {"nearest vector": nearest, "bigram": bigram}) == (
        "The network is no better than its best baseline, nearest vector: "
        "sequence_accuracy 1 against 1."
    )
    assert "beats its best baseline, bigram: accuracy" in verdict(task, ours, {"bigram": bigram})
    worse = {"sequence_accuracy": 0.5, "accuracy": 1.0, "perplexity": 1.0}
    also = {"sequence_accuracy": 1.0, "accuracy": 0.9}
    told = verdict(task, ours, {"nearest vector": nearest, "worse": worse, "also": also})
    assert told.startswith("The network is no better than its best baseline")  # nearest has no more
    assert "beats its best baseline, also: accuracy 1 against 0.9" in verdict(
        task, ours, {"worse": worse, "also": also}
    )


def test_a_bleu_of_0_says_what_that_means() -> None:
    meter = WritingMeter("13a")
    meter.texts.update([0], ["two words"], ["two words"])
    assert meter.texts.bleu == 0
    assert meter.counted["bleu"].endswith(", 0: no text has four tokens, or no token is right")
    meter.texts.update([1], ["now with four words"], ["now with four words"])
    assert meter.counted["bleu"] == meter.texts.signature


def test_a_copied_source_has_the_words_that_no_vocabulary_has(tmp_path: Path) -> None:
    lines = [f"my name is Name{k}\tmy name is Name{k}" for k in range(60)]
    (tmp_path / "c.tsv").write_text("\n".join(["source\ttarget", *lines]))
    it = experiment_of("translation", {"kind": "pairs", "path": str(tmp_path / "c.tsv")})
    prepared = prepare(it.data, it.task, tmp_path)
    found = baselines.score(task_for(it.task, prepared), prepared, prepared.parts["test"])
    assert found["copied source"] == {"bleu": 1.0, "wer": 0.0, "sequence_accuracy": 1.0}
    run(tmp_path, it)
    elsewhere = rescore(RunFolder(tmp_path / "run"), str(tmp_path / "c.tsv"), tmp_path)
    assert elsewhere["baselines"]["copied source"] == found["copied source"]


def test_smoothing_and_sampling_change_the_training_and_not_the_score(tmp_path: Path) -> None:
    plain = experiment_of("translation", pairs(tmp_path))
    prepared = prepare(plain.data, plain.task, tmp_path)
    first = {}
    for key, value in (("label_smoothing", 0.1), ("scheduled_sampling", 0.9), ("beam", 1)):
        it = plain.replace({f"task.{key}": value, "train.epochs": 2})
        *_, last = (e for e in train(it, prepared, State.start()) if hasattr(e, "valid"))
        first[key] = (last.train["loss"], last.valid["loss"])
    assert len(set(first.values())) == 3
    assert first["label_smoothing"][0] > first["beam"][0]


def test_a_category_has_no_right_text(tmp_path: Path) -> None:
    it = experiment_of("captioning", names(tmp_path), data={"tokenizer": {"kind": "characters"}})
    prepared = prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    assert set(prepared.vocabulary or ()) == {"<pad>", "<unk>", "left", "right"}
    assert task.shown[0] == "perplexity"
    found = baselines.score(task, prepared, prepared.parts["test"])
    assert set(found) == {"unigram", "bigram"}  # no constant text is the right one
    assert found["bigram"]["perplexity"] < found["unigram"]["perplexity"]


# --- predicted


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("translator")
    return run(folder, experiment_of("translation", pairs(folder), beam=3))


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("captioner")
    data = {"tokenizer": {"kind": "characters"}}
    return run(folder, experiment_of("captioning", names(folder), data=data))


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Of recordings, in one direction, without anything that needs what is still to come."""
    features = {"normalize": "none", "deltas": 0}
    data = {"tokenizer": {"kind": "characters"}, "limit": 30, "features": features}
    model = {"representation": {"kind": "raw"}}
    source = {"kind": "builtin", "name": "touch_tones"}
    folder = tmp_path_factory.mktemp("listener")
    return run(folder, experiment_of("transcription", source, data=data, model=model))


def test_a_translation_has_its_hypotheses(translator: Predictor) -> None:
    one, other = translator(["ab cd", "ef unheard gh"])
    for answer in (one, other):
        assert 1 <= len(answer["hypotheses"]) <= 3
        assert answer["text"] == answer["hypotheses"][0]["text"]
        assert answer["log_probability"] < 0
    assert translator(["ab cd"])[0]["text"] == one["text"]


def test_an_empty_source_is_no_input(translator: Predictor) -> None:
    with pytest.raises(InputError, match="input 2: must have at least one token"):
        translator(["ab", ""])


def test_a_caption_of_a_category_and_of_one_that_is_not_there(captioner: Predictor) -> None:
    (answer,) = captioner(["left"])
    assert set(answer["text"]) <= set("abc")
    with pytest.raises(InputError, match="input 1: there is no category 'up'; there are "):
        captioner(["up"])


def test_a_number_may_be_a_category(tmp_path: Path) -> None:
    rows = [json.dumps({"text": "ab" * (1 + k), "label": k % 2}) for k in range(40)]
    (tmp_path / "n.jsonl").write_text("\n".join(rows))
    source = {"kind": "labelled_text", "path": str(tmp_path / "n.jsonl")}
    tokens = {"tokenizer": {"kind": "characters"}}
    predictor = run(tmp_path, experiment_of("captioning", source, data=tokens))
    assert predictor([1, np.int64(0)]) == predictor(["1", "0"])


def test_a_recording_by_its_samples_and_by_its_file(listener: Predictor, tmp_path: Path) -> None:
    import soundfile

    samples, _ = touch_tones.recording(1)
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, touch_tones.RATE, subtype="FLOAT")
    one, other = listener([samples.tolist(), str(path)])
    assert one == other
    assert isinstance(one["text"], str)
    for bad in ([], [["a"]], [0.0, float("nan")]):
        with pytest.raises(InputError, match="input 1: must be the path of a WAV file, or a list"):
            listener([bad])
    with pytest.raises(InputError, match="there is no such file"):
        listener([str(tmp_path / "b.wav")])


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("translator", '{"source": "ab"}', "ab"),
        ("captioner", '{"label": "left", "text": "x"}', "left"),
        ("listener", '{"audio": "a.wav"}', "a.wav"),
    ],
)
def test_objects_have_their_input_under_the_sources_key(
    kind: str, line: str, expected: str, request: pytest.FixtureRequest
) -> None:
    experiment = request.getfixturevalue(kind).experiment
    assert list(lines.inputs([line], experiment, "x", True, False)) == [("x, line 1", expected)]
    with pytest.raises(InputError, match="an object must have its input under one of "):
        list(lines.inputs(['{"nothing": 1}'], experiment, "x", True, False))


@pytest.mark.parametrize(
    ("kind", "key", "given"),
    [
        ("translator", "source", "ab cd"),
        ("captioner", "label", "left"),
        ("listener", "audio", None),
    ],
)
def test_a_served_table_may_have_other_columns(
    kind: str, key: str, given: str | None, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    predictor = request.getfixturevalue(kind)
    value = given or str(Path(recorded(tmp_path, 1)) / "low_0.wav")
    table = pandas.DataFrame([{"id": 3, key: value}])
    assert Served(predictor).predict(table) == predictor([value])


# --- step by step


def test_a_stream_of_words_has_the_translation_so_far(tmp_path: Path) -> None:
    for readout in ("last", "mean", "max"):
        (tmp_path / readout).mkdir()
        it = experiment_of("translation", pairs(tmp_path), model={"readout": readout})
        predictor = run(tmp_path / readout, it)
        stream, seen = Stream(predictor), list[str]()
        for word in ("ab", "gh", "cd"):
            seen.append(word)
            answer = stream.step(word)
            (whole,) = predictor([" ".join(seen)])
            assert answer["text"] == whole["text"]
            assert answer["log_probability"] == pytest.approx(whole["log_probability"], abs=1e-5)
        with pytest.raises(InputError, match="step 4: must have at least one token"):
            stream.step("")


def test_a_stream_searches_as_the_whole_does(tmp_path: Path) -> None:
    predictor = run(tmp_path, experiment_of("translation", pairs(tmp_path), beam=3))
    stream, seen = Stream(predictor), list[str]()
    for word in ("ab", "gh", "cd"):
        seen.append(word)
        answer = stream.step(word)
        (whole,) = predictor([" ".join(seen)])
        assert [h["text"] for h in answer["hypotheses"]] == [h["text"] for h in whole["hypotheses"]]


def test_what_is_no_text_is_refused(translator: Predictor, tmp_path: Path) -> None:
    for value in (5, None, ["ab", "cd"]):
        with pytest.raises(InputError, match=r"input 2: must be a text, got "):
            translator(["ab", value])
    plain = run(tmp_path, experiment_of("translation", pairs(tmp_path)))
    with pytest.raises(InputError, match=r"step 1: must be a text, got \['ab'\]"):
        Stream(plain).step(["ab"])


def test_a_stream_of_samples_has_what_was_said_so_far(listener: Predictor) -> None:
    samples, _ = touch_tones.recording(2)
    stream = Stream(listener)
    assert stream.step(samples[:10].tolist()) == {"frames": 0}
    for begin in range(10, len(samples), 777):
        answer = stream.step(samples[begin : begin + 777].tolist())
    (whole,) = listener([samples.tolist()])
    assert answer.pop("frames") == (len(samples) - 256) // 80 + 1
    assert answer["text"] == whole["text"]
    assert answer["log_probability"] == pytest.approx(whole["log_probability"], abs=1e-3)
    line = json.dumps([0.0, 0.1])
    assert list(lines.inputs([line], listener.experiment, "x", False, True)) == [
        ("x, line 1", [0.0, 0.1])
    ]


@pytest.mark.parametrize(
    "value",
    [
        [[0.0]],
        ["a"],
        ["0.5"],
        "x.wav",
        [[0.0], [0.0, 0.1]],
        [np.nan, 0.1],
        [1e39, 0.0],
        [10**400],
        None,
    ],
)
def test_what_is_no_step_of_a_recording_is_refused(listener: Predictor, value: Any) -> None:
    stream = Stream(listener)
    message = (
        r"must be a list of a recording's samples, finite numbers between -1 and 1, "
        r"8,000 per second, got "
    )
    with pytest.raises(InputError, match=message):
        stream.step(value)
    assert stream.step([]) == {"frames": 0}  # nothing of it was kept


@pytest.mark.parametrize("size", [1, 100, 256, 257, 800, 1_999, 5_000])
@pytest.mark.parametrize("window", [25.0, 150.0])
def test_samples_between_frames_that_do_not_touch_are_skipped(
    apart: dict[float, Predictor], window: float, size: int
) -> None:
    predictor = apart[window]
    samples, _ = touch_tones.recording(2)
    samples = samples[:6_000]
    stream = Stream(predictor)
    for begin in range(0, len(samples), size):
        answer = stream.step(samples[begin : begin + size].tolist())
    (whole,) = predictor([samples.tolist()])
    transform, _, hop = sizes(8_000, predictor.experiment.data.features)
    assert answer.pop("frames") == (len(samples) - transform) // hop + 1
    assert answer["text"] == whole["text"]
    assert answer["log_probability"] == pytest.approx(whole["log_probability"], abs=1e-4)


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> dict[float, Predictor]:
    """Of recordings, with more from frame to frame than a frame hears, by the frame's window."""
    found = {}
    for window in (25.0, 150.0):
        folder = tmp_path_factory.mktemp("apart")
        features = {"normalize": "none", "deltas": 0, "hop": 287.5, "window": window}
        it = experiment_of(
            "transcription",
            {"kind": "audio", "path": recorded(folder, 20), "names": "{text}_{take}.wav"}
            | {"rate": 8_000},
            data={"features": features},
            model={"representation": {"kind": "raw"}},
        )
        found[window] = run(folder, it)
    return found


def test_a_stream_of_samples_is_classified(tmp_path: Path) -> None:
    it = experiment_of(
        "transcription",
        {"kind": "audio", "path": recorded(tmp_path), "names": "{text}_{take}.wav", "rate": 8_000},
        data={"features": {"normalize": "none", "deltas": 0}},
        model={"representation": {"kind": "raw"}},
    ).replace({"task": {"kind": "classification"}})
    predictor = run(tmp_path, it)
    samples = read(it.data.source, it.data.split)["samples"].iloc[3]
    stream = Stream(predictor)
    for begin in range(0, len(samples), 500):
        answer = stream.step(samples[begin : begin + 500].tolist())
    (whole,) = predictor([samples.tolist()])
    assert answer["label"] == whole["label"]
    assert answer["probabilities"] == pytest.approx(whole["probabilities"], abs=1e-4)


def recorded(folder: Path, takes: int = 30) -> str:
    """Two words by their pitch, so many times each."""
    import soundfile

    (folder / "wav").mkdir()
    for take in range(takes):
        for name, hertz in (("low", 300 + take), ("high", 1500 + take)):
            tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(1_500 + 20 * take) / 8_000)
            soundfile.write(folder / "wav" / f"{name}_{take}.wav", tone, 8_000)
    return str(folder / "wav")


def test_what_needs_the_whole_is_no_stream(tmp_path: Path, captioner: Predictor) -> None:
    looking = experiment_of("translation", pairs(tmp_path), model={"attention": "dot"})
    with pytest.raises(InputError, match="attention looks at the whole source"):
        Stream(run(tmp_path, looking))
    (tmp_path / "heard").mkdir()
    source = {"kind": "builtin", "name": "touch_tones"}
    heard = experiment_of(
        "transcription",
        source,
        data={"tokenizer": {"kind": "characters"}, "limit": 12},
        model={"representation": {"kind": "raw"}},
    )
    with pytest.raises(InputError, match="features that are scaled by their recording, and slopes"):
        Stream(run(tmp_path / "heard", heard))
    with pytest.raises(InputError, match="a captioning model reads one vector or category at once"):
        Stream(captioner)


# --- text of a category, another file


def test_text_of_a_category_is_drawn(captioner: Predictor, translator: Predictor) -> None:
    one, same, other = (generate(captioner, "left", 20, 1.0, None, seed) for seed in (0, 0, 5))
    assert one == same
    assert set(one + other) <= set("abc")
    likeliest = generate(captioner, "left", 20, 0.0, None, 0)
    assert likeliest.startswith(captioner(["left"])[0]["text"])  # which is not as long
    with pytest.raises(InputError, match="there is no category 'up'"):
        generate(captioner, "up", 5, 1.0, None, 0)
    with pytest.raises(InputError, match="task is translation; rnnkit predict has its answers"):
        generate(translator, "ab", 5, 1.0, None, 0)
    with pytest.raises(InputError, match=r"--prompt; there are right, left"):
        generate(captioner, "", 5, 1.0, None, 0)


def test_a_vector_is_a_prompt_as_a_list(tmp_path: Path) -> None:
    it = experiment_of(
        "captioning",
        {"kind": "builtin", "name": "spelled_digits"},
        data={"tokenizer": {"kind": "characters"}, "limit": 20},
        model={"representation": {"kind": "raw"}},
    )
    predictor = run(tmp_path, it)
    for prompt, message in (
        ("", "which vector is it to be of. Give its 64 numbers with --prompt, as a JSON list"),
        ("[" * 100_000, "the prompt: must be a vector, a JSON list of its numbers, got"),
        (f"[{10**400}]", "the prompt: must be numbers, got"),
        ("seven", "the prompt: must be a vector, a JSON list of its numbers, got 'seven'"),
        ("[7]", "the prompt: must have 64 numbers per step, got the shape"),
    ):
        with pytest.raises(InputError, match=message):
            generate(predictor, prompt, 5, 1.0, None, 0)
    pixels = read(it.data.source, it.data.split)["vector"].iloc[0].tolist()
    longest = task_for(it.task, predictor.prepared).longest  # type: ignore[attr-defined]
    likeliest = generate(predictor, json.dumps(pixels), longest, 0.0, None, 0)
    assert likeliest == predictor([pixels])[0]["text"]
    drawn = {generate(predictor, json.dumps(pixels), 5, 1.0, None, seed) for seed in range(5)}
    assert len(drawn) > 1


@pytest.mark.parametrize(
    ("tokenizer", "change"),
    [
        ({"kind": "words"}, ("", "")),
        ({"kind": "words", "lowercase": True, "split": "punctuation"}, LOWERED),
    ],
)
def test_how_bleu_was_counted_says_what_was_done_to_the_texts(
    tmp_path: Path, tokenizer: dict[str, Any], change: tuple[str, str]
) -> None:
    it = experiment_of("translation", pairs(tmp_path), data={"tokenizer": tokenizer})
    predictor, prepared = run(tmp_path, it), prepare(it.data, it.task, tmp_path)
    task = task_for(it.task, prepared)
    found = evaluate(predictor.network, task, prepared.parts["test"], it, False)
    assert found.counted["bleu"].startswith(
        "nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:"
    )
    assert found.counted["bleu"].partition(", texts")[1:] == change


def test_a_last_training_has_what_is_short_enough_of_both_parts(tmp_path: Path) -> None:
    more = "".join(f"ab ab ab ab ab x{k}\tcd\n" for k in range(30))
    it = experiment_of("translation", pairs(tmp_path, more=more), data={"max_length": 4})
    prepared = prepare(it.data, it.task, tmp_path)
    assert int(prepared.parts["valid"].input_length.max()) == 6  # a judge leaves nothing out
    whole = train_and_valid(prepared, it.data)
    assert whole.parts.keys() == {"train", "test"}
    train = whole.parts["train"]
    assert int(train.input_length.max()) == 4
    longest = int(train.target_length.max())
    most = max(prepared.facts["longest_target"][part] for part in ("train", "valid"))
    assert longest <= task_for(it.task, whole).longest == most  # type: ignore[attr-defined]
    long = int((prepared.parts["valid"].input_length > 4).sum())
    assert len(train) == len(prepared.parts["train"]) + len(prepared.parts["valid"]) - long


@pytest.mark.parametrize(("heard", "each"), [(True, "nats per frame"), (False, "nats per token")])
def test_mistakes_say_how_unlikely_they_were(tmp_path: Path, heard: bool, each: str) -> None:
    it = experiment_of("translation", pairs(tmp_path))
    table = pandas.DataFrame({"item": [0], "truth": ["ab"], "predicted": ["cd"], "right": [False]})
    table = table.assign(confidence=[-0.5], log_probability=[-1.0])
    if heard:
        table = table.assign(path=[["", "cd"]])
    _, (row,) = mistakes(table, it, prepare(it.data, it.task, tmp_path))
    assert row[each] == 0.5


@pytest.mark.parametrize("kind", ["translation", "captioning"])
def test_a_run_is_scored_on_another_file(tmp_path: Path, kind: str) -> None:
    source = pairs(tmp_path) if kind == "translation" else names(tmp_path)
    it = experiment_of(kind, source, data={"tokenizer": {"kind": "characters"}})
    run(tmp_path, it)
    found = rescore(RunFolder(tmp_path / "run"), source["path"], tmp_path)
    assert found["items"] == 60
    assert found["test"]["loss"] > 0
    assert ("constant text" if kind == "translation" else "bigram") in found["baselines"]


def test_a_score_does_not_change_with_the_training_file(tmp_path: Path) -> None:
    """Data grow; a model's vocabularies, and the baselines it was held against, do not."""
    source, other = pairs(tmp_path), tmp_path / "other.tsv"
    shutil.copy(source["path"], other)
    run(tmp_path, experiment_of("translation", source))
    place = RunFolder(tmp_path / "run")
    before = rescore(place, str(other), tmp_path)
    pairs(tmp_path, count=80, more="new words\twords new\n")
    assert rescore(place, str(other), tmp_path) == before
    shutil.rmtree(tmp_path / "prepared")
    with pytest.raises(InputError, match="run: its prepared data are gone, and its source has cha"):
        rescore(place, str(other), tmp_path)
    pairs(tmp_path)
    assert rescore(place, str(other), tmp_path) == before


def test_a_category_that_training_has_not_seen_is_refused(tmp_path: Path) -> None:
    source = names(tmp_path)
    (tmp_path / "up.csv").write_text("text,label\nabc,up\n")
    split = {"kind": "files", "valid": source["path"], "test": str(tmp_path / "up.csv")}
    tokens = {"tokenizer": {"kind": "characters"}}
    it = experiment_of("captioning", source, data={**tokens, "split": split})
    with pytest.raises(InputError, match="every label must occur in the training part, but test"):
        prepare(it.data, it.task, tmp_path)
    run(tmp_path, experiment_of("captioning", source, data=tokens))
    with pytest.raises(
        InputError, match=r"knows the categories .* alone, but 'up' is there, too; leave them"
    ):
        rescore(RunFolder(tmp_path / "run"), str(tmp_path / "up.csv"), tmp_path)


@pytest.mark.parametrize("kind", ["classification", "transcription"])
def test_a_run_of_recordings_is_scored_on_others(tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path)
    it = experiment_of(
        "transcription",
        {"kind": "audio", "path": path, "names": "{text}_{take}.wav", "rate": 8_000},
        data={"split": {"kind": "names", "test": "*_[0-4].wav", "valid": "*_[5-9].wav"}},
        model={"representation": {"kind": "raw"}},
    ).replace({"task": {"kind": kind}})
    own = train_in(tmp_path / "run", it, tmp_path).result
    (tmp_path / "test").mkdir()
    for file in Path(path).glob("*_[0-4].wav"):
        shutil.copy(file, tmp_path / "test")
    found = rescore(RunFolder(tmp_path / "run"), str(tmp_path / "test"), tmp_path)
    assert found["items"] == 10
    assert found["test"] == pytest.approx(own["test"])
    assert found["baselines"] == own["baselines"]
    if kind == "classification":
        (tmp_path / "test" / "low_1.wav").rename(tmp_path / "test" / "middle_1.wav")
        with pytest.raises(InputError, match="knows the labels high, low alone"):
            rescore(RunFolder(tmp_path / "run"), str(tmp_path / "test"), tmp_path)


def test_what_cannot_be_read_says_how_it_is_read(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path))
    run(tmp_path, it)
    (tmp_path / "n.tsv").write_text("de\ten\na\tb\n")
    message = r"there is no column 'source'.* as the run's own data were, \{.*path: .*n\.tsv\}$"
    with pytest.raises(InputError, match=message):
        rescore(RunFolder(tmp_path / "run"), str(tmp_path / "n.tsv"), tmp_path)
    with pytest.raises(InputError, match=r"there is no such file.*is started$"):
        rescore(RunFolder(tmp_path / "run"), str(tmp_path / "o.tsv"), tmp_path)


def test_a_prediction_has_what_was_read(tmp_path: Path) -> None:
    for kind, source, column in (
        ("translation", pairs(tmp_path), "source"),
        ("captioning", names(tmp_path), "category"),
    ):
        it = experiment_of(kind, source, data={"tokenizer": {"kind": "words"}})
        place = train_in(tmp_path / kind, it, tmp_path)
        table = pandas.read_parquet(place.folder.path / PREDICTIONS)
        frame = read(it.data.source, it.data.split)
        own = frame["label" if kind == "captioning" else "source"].iloc[table["item"]]
        assert table[column].tolist() == own.tolist()


def test_the_time_that_is_told_is_that_of_a_network_that_reads_its_own_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = experiment_of("translation", pairs(tmp_path), scheduled_sampling=0.8)
    shares: list[float] = []
    forward = EncoderDecoder.forward

    def caught(self: Any, inputs: Any, mask: Any, previous: Any, own: float = 0.0) -> Any:
        shares.append(own)
        return forward(self, inputs, mask, previous, own)

    monkeypatch.setattr(EncoderDecoder, "forward", caught)
    estimate(it, prepare(it.data, it.task, tmp_path))
    assert set(shares) == {0.4}
