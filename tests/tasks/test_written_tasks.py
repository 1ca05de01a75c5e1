"""Translation, captioning and transcription as tasks: prepared, trained and scored."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from sacrebleu.metrics.bleu import BLEU
from sequence_runs import experiment_of, names, pairs, run
from trained_runs import train_in

from rnnkit.data.inputs.numbers import DescribedVectors
from rnnkit.data.prepare.ids import END, UNKNOWN
from rnnkit.data.prepare.prepared import train_and_valid
from rnnkit.data.sources import read
from rnnkit.errors import InputError
from rnnkit.evaluation.evaluate_file import evaluate_file
from rnnkit.evaluation.finalize import PREDICTIONS
from rnnkit.evaluation.verdict import deciding
from rnnkit.metrics import TextMeter, TranscriptMeter, least_edits
from rnnkit.nn.model.network import EncoderDecoder
from rnnkit.report.run import _data as data_of
from rnnkit.runs.run_folder import RunFolder
from rnnkit.tasks import baselines, predictions_of, prepare, task_for
from rnnkit.tasks.predictions import Items
from rnnkit.tasks.sequence_to_sequence.task import SequenceMeter, SequenceToSequence
from rnnkit.training.cost import estimate
from rnnkit.training.evaluate import evaluate
from rnnkit.training.loop import train
from rnnkit.training.state import State

LOWERED = (", texts", " in lower case, texts cut at punctuation")
TURNING = {"attention": "dot", "hidden": 32, "bidirectional": True}


# --- metrics


def test_bleu_is_sacrebleus_between_0_and_1() -> None:
    texts = ["the cat sat on the mat today", "a dog ran over the old bridge"]
    truth = ["the cat sat on a mat today", "a dog ran over an old bridge"]
    meter = TextMeter("13a")
    meter.update([0, 1], texts, truth)
    theirs = BLEU().corpus_score(texts, [truth]).score / 100
    assert meter.compute()["bleu"] == pytest.approx(theirs)
    assert 0 < theirs < 1
    assert "tok:13a" in meter.bleu()[1]
    assert "version:" in meter.bleu()[1]


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
    found = evaluate(predictor.network, task, prepared.splits["test"], it, True).predictions
    assert found is not None
    assert found["asked"].nunique() == 4  # the last two ask for the same
    assert found["length"].tolist() == [2] * 5
    copied = baselines.score(task, prepared, prepared.splits["test"])["copied source"]
    assert copied["sequence_accuracy"] == 0
    assert copied["wer"] == 1.0  # four questions of two words each, and none of these is right


# --- prepared


def test_targets_end_and_references_keep_what_the_vocabulary_lacks(tmp_path: Path) -> None:
    source = pairs(tmp_path)
    (tmp_path / "test.tsv").write_text("source\ttarget\nab cd\tcd NEW\n")
    split = {"kind": "files", "valid": str(tmp_path / "p.tsv"), "test": str(tmp_path / "test.tsv")}
    it = experiment_of("translation", source, data={"split": split})
    prepared = prepare(it.data, it.task, tmp_path)
    part = prepared.splits["test"]
    assert part.targets[-1] == END
    assert part.targets[-2] == UNKNOWN
    assert list(prepared.references.values())[-1] == "cd NEW"
    assert part.is_sequence_to_sequence
    assert prepared.facts["targets"]["test"] == 3


@pytest.mark.parametrize("joint", [False, True])
def test_vocabularies_are_separate_or_joint(tmp_path: Path, joint: bool) -> None:
    source = pairs(tmp_path, more="only source\tonly target\n" * 30)
    it = experiment_of("translation", source, data={"joint": joint})
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.fitted.inputs.vocabulary is not None
    assert prepared.fitted.target is not None
    assert ("target" in prepared.fitted.inputs.vocabulary) is joint
    assert ("source" in prepared.fitted.target.vocabulary) is joint


def test_bpe_on_both_sides_gives_the_text_back(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path), data={"tokenizer": {"kind": "bpe"}})
    prepared = prepare(it.data, it.task, tmp_path)
    assert prepared.fitted.target is not None
    split = prepared.splits["valid"]
    for k in range(len(split)):
        start, length = int(split.target_start[k]), int(split.target_length[k])
        ids = split.targets[start : start + length].tolist()
        assert ids[-1] == END
        assert prepared.fitted.target.decode(ids) == prepared.references[int(split.item[k])]
        pieces = [prepared.fitted.target.piece(token) for token in ids]
        assert pieces.pop() == "<eos>"
        assert "".join(pieces) == prepared.references[int(split.item[k])]


def test_long_pairs_are_left_out_of_training_alone(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path), data={"max_length": 3})
    prepared = prepare(it.data, it.task, tmp_path)
    left_out = prepared.facts["left_out"]
    assert left_out > 0
    assert prepared.notes == [f"items of train longer than data.max_length, left out: {left_out}"]
    assert int(prepared.splits["train"].input_length.max()) == 3
    assert int(prepared.splits["test"].input_length.max()) == 4


def test_nothing_left_to_train_on_is_refused(tmp_path: Path) -> None:
    it = experiment_of("translation", pairs(tmp_path), data={"max_length": 1})
    with pytest.raises(InputError, match="every item of the training split is longer than 1"):
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
    scores = evaluate(network, task, prepared.splits["test"], it, predictions=True)
    table = scores.predictions
    assert table is not None
    assert (table["right"] == (table["truth"] == table["predicted"])).all()
    assert scores.metrics["perplexity"] == pytest.approx(np.exp(scores.metrics["loss"]), rel=1e-5)
    for pieces, weights in zip(table["pieces"], table["attention"], strict=True):
        assert len(pieces) == len(weights)
        assert np.allclose([sum(row) for row in weights], 1, atol=0.01)
    found = baselines.score(task, prepared, prepared.splits["test"])
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
    assert deciding(task, ours, theirs) == ("sequence_accuracy", "copied source")
    assert deciding(task, theirs["copied source"], theirs) == ("bleu", "copied source")


def test_a_baseline_that_is_as_good_is_beaten_by_no_metric_it_lacks(tmp_path: Path) -> None:
    it = experiment_of("captioning", names(tmp_path))
    prepared = prepare(it.data, it.task, tmp_path)
    of_vectors = replace(prepared.fitted, inputs=DescribedVectors(2, None))
    task = task_for(it.task, replace(prepared, fitted=of_vectors))
    ours = {"sequence_accuracy": 1.0, "accuracy": 1.0, "perplexity": 1.1, "bleu": 0.0}
    nearest = {"sequence_accuracy": 1.0, "bleu": 0.0}
    bigram = {"accuracy": 0.8, "perplexity": 1.7}
    both = {"nearest vector": nearest, "bigram": bigram}
    assert deciding(task, ours, both) == ("sequence_accuracy", "nearest vector")
    assert deciding(task, ours, {"bigram": bigram}) == ("accuracy", "bigram")
    worse = {"sequence_accuracy": 0.5, "accuracy": 1.0, "perplexity": 1.0}
    also = {"sequence_accuracy": 1.0, "accuracy": 0.9}
    beside = {"nearest vector": nearest, "worse": worse, "also": also}
    assert deciding(task, ours, beside) == ("sequence_accuracy", "nearest vector")  # it has no more
    assert deciding(task, ours, {"worse": worse, "also": also}) == ("accuracy", "also")
    assert deciding(task, ours, {}) is None


def test_a_bleu_of_0_says_what_that_means() -> None:
    meter = SequenceMeter("13a")
    meter.texts.update([0], ["two words"], ["two words"])
    assert meter.texts.bleu()[0] == 0
    assert meter.counted["bleu"].endswith(", 0: no text has four tokens, or no token is right")
    meter.texts.update([1], ["now with four words"], ["now with four words"])
    assert meter.counted["bleu"] == meter.texts.bleu()[1]


def test_a_copied_source_has_the_words_that_no_vocabulary_has(tmp_path: Path) -> None:
    lines = [f"my name is Name{k}\tmy name is Name{k}" for k in range(60)]
    (tmp_path / "c.tsv").write_text("\n".join(["source\ttarget", *lines]))
    it = experiment_of("translation", {"kind": "pairs", "path": str(tmp_path / "c.tsv")})
    prepared = prepare(it.data, it.task, tmp_path)
    found = baselines.score(task_for(it.task, prepared), prepared, prepared.splits["test"])
    assert found["copied source"] == {"bleu": 1.0, "wer": 0.0, "sequence_accuracy": 1.0}
    run(tmp_path, it)
    elsewhere = evaluate_file(RunFolder(tmp_path / "run"), str(tmp_path / "c.tsv"), tmp_path)
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
    assert set(prepared.fitted.inputs.vocabulary or ()) == {"<pad>", "<unk>", "left", "right"}
    assert task.shown[0] == "perplexity"
    found = baselines.score(task, prepared, prepared.splits["test"])
    assert set(found) == {"unigram", "bigram"}  # no constant text is the right one
    assert found["bigram"]["perplexity"] < found["unigram"]["perplexity"]


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
    found = evaluate(predictor.network, task, prepared.splits["test"], it, False)
    assert found.counted["bleu"].startswith(
        "nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:"
    )
    assert found.counted["bleu"].partition(", texts")[1:] == change


def test_a_last_training_has_what_is_short_enough_of_both_parts(tmp_path: Path) -> None:
    more = "".join(f"ab ab ab ab ab x{k}\tcd\n" for k in range(30))
    it = experiment_of("translation", pairs(tmp_path, more=more), data={"max_length": 4})
    prepared = prepare(it.data, it.task, tmp_path)
    assert int(prepared.splits["valid"].input_length.max()) == 6  # a judge leaves nothing out
    whole = train_and_valid(prepared)
    assert whole.splits.keys() == {"train", "test"}
    train = whole.splits["train"]
    assert int(train.input_length.max()) == 4
    longest = int(train.target_length.max())
    most = max(prepared.facts["longest_target"][split] for split in ("train", "valid"))
    task = task_for(it.task, whole)
    assert isinstance(task, SequenceToSequence)
    assert longest <= task.fitted.longest == most
    long = int((prepared.splits["valid"].input_length > 4).sum())
    assert len(train) == len(prepared.splits["train"]) + len(prepared.splits["valid"]) - long


@pytest.mark.parametrize(("heard", "each"), [(True, "nats per frame"), (False, "nats per token")])
def test_mistakes_say_how_unlikely_they_were(tmp_path: Path, heard: bool, each: str) -> None:
    it = experiment_of("translation", pairs(tmp_path))
    table = pandas.DataFrame({"item": [0], "truth": ["ab"], "predicted": ["cd"], "right": [False]})
    table = table.assign(confidence=[-0.5], log_probability=[-1.0], length=[2])
    if heard:
        table = table.assign(path=[["", "cd"]])
        tones = {"kind": "builtin", "name": "touch_tones"}
        data = {"tokenizer": {"kind": "characters"}, "limit": 30}
        raw = {"representation": {"kind": "raw"}}
        it = experiment_of("transcription", tones, data=data, model=raw)
    else:
        table = table.assign(asked=["ef"])
    items = Items(prepare(it.data, it.task, tmp_path))
    _, (row,) = predictions_of(it, table).mistakes(items)
    assert row[each] == 0.5


def test_surprising_captions_are_shown_with_their_categories(tmp_path: Path) -> None:
    it = experiment_of("captioning", names(tmp_path), data={"tokenizer": {"kind": "characters"}})
    table = pandas.DataFrame({"item": [0], "category": ["left"], "truth": ["ab"]})
    table = table.assign(log_probability=[-6.0], tokens=[3])
    prepared = prepare(it.data, it.task, tmp_path)
    heading, (row,) = predictions_of(it, table).mistakes(Items(prepared))
    assert heading == "What surprised it most"
    shown = {"item": 0, "category": "left", "truth": "ab", "tokens": 3, "nats per token": 2.0}
    assert row == shown
    assert data_of(prepared)["categories"] == "left, right"


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
    assert list(dict.fromkeys(shares)) == [0.4, 0.0]  # training, then validation
