"""Figures of texts: what they show is read back from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from trained_runs import finish_in

from rnnkit import figures
from rnnkit.evaluation.comparison.table import table
from rnnkit.params import Experiment
from rnnkit.params.task import Transcription, Translation
from rnnkit.report.comparison import write_comparison_report
from rnnkit.tasks.sequence_to_sequence.predictions import LENGTH_GROUPS, TextsOfLengths
from rnnkit.tasks.transcription.task import TranscriptPredictions
from rnnkit.tasks.translation.task import TranslationPredictions


def predictions(count: int = 60) -> pandas.DataFrame:
    """Items of 1 to 12 tokens, of which the longer ones are wrong."""
    lengths = [1 + k % 12 for k in range(count)]
    truth = [f"{'a ' * (n - 1)}z{k}" for k, n in enumerate(lengths)]
    told = [t if n <= 6 else t[:-1] + "wrong" for t, n in zip(truth, lengths, strict=True)]
    right = [t == told[k] for k, t in enumerate(truth)]
    columns = {"length": lengths, "truth": truth, "predicted": told, "right": right}
    asked = [str(k) for k in range(count)]
    return pandas.DataFrame({"item": range(count), **columns, "asked": asked}).assign(
        confidence=-1.0, path=""
    )


def translations(table: pandas.DataFrame) -> TranslationPredictions:
    return TranslationPredictions(table, Translation(bleu_tokenizer="none"))


def transcripts(table: pandas.DataFrame) -> TranscriptPredictions:
    return TranscriptPredictions(table, Transcription())


def by_own_length(own: TextsOfLengths) -> pandas.DataFrame:
    return own.by_length(own.length_edges(), own.table)


def test_groups_of_lengths_have_about_as_many_items_and_all_of_them() -> None:
    table = predictions()
    found = by_own_length(translations(table))
    assert len(found) == LENGTH_GROUPS
    assert found["items"].sum() == 60
    assert found["items"].between(5, 20).all()
    assert found["length"].is_monotonic_increasing
    assert found["sequence_accuracy"].iloc[0] == 1
    assert found["sequence_accuracy"].iloc[-1] == 0
    heard = by_own_length(transcripts(table))
    assert heard["wer"].iloc[0] == 0 < heard["wer"].iloc[-1]


def test_lengths_are_those_of_the_first_network() -> None:
    words = translations(predictions())
    table = words.table.assign(length=words.table["length"] * 5)
    letters = translations(table.sample(frac=1, random_state=0))
    edges = words.length_edges()
    assert letters.by_length(edges, words.table).equals(words.by_length(edges, words.table))


def test_a_report_counts_lengths_as_the_first_variant_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = {}
    for name, kind in (("words", "words"), ("letters", "characters")):
        it = translated(tmp_path, name, kind)
        groups[name] = [finish_in(tmp_path, it, name).folder]
    drawn: list[Any] = []

    def catch(found: Any, metric: str, unit: str) -> Any:
        drawn.append(found)
        return scores_by_length(found, metric, unit)

    scores_by_length = figures.scores_by_length
    monkeypatch.setattr(figures, "scores_by_length", catch)
    write_comparison_report(tmp_path, groups, table(groups))
    (found,) = drawn
    assert found["words"]["length"].equals(found["letters"]["length"])
    assert found["words"]["items"].equals(found["letters"]["items"])


def translated(folder: Path, name: str, tokenizer: str) -> Experiment:
    rows = [f"{'ab ' * (k % 5)}c{k}\t{'d ' * (k % 5)}e" for k in range(60)]
    (folder / "p.tsv").write_text("\n".join(["source\ttarget", *rows]))
    tree = {
        "name": name,
        "task": {"kind": "translation"},
        "data": {
            "source": {"kind": "pairs", "path": str(folder / "p.tsv")},
            "split": {"kind": "fractions", "valid": 0.2, "test": 0.4},
            "tokenizer": {"kind": tokenizer},
        },
        "model": {"hidden": 4, "target_embedding": 4},
        "train": {"epochs": 1},
    }
    return Experiment.model_validate(tree)


def test_one_length_is_one_group() -> None:
    assert len(by_own_length(transcripts(predictions().assign(length=7)))) == 1


def test_scores_by_length_have_a_line_for_each_network(tmp_path: Path) -> None:
    found = by_own_length(transcripts(predictions()))
    one = figures.scores_by_length({"": found}, "wer", "frames")
    several = figures.scores_by_length({"a": found, "$b$": found}, "wer", "frames")
    assert len(one.axes[0].lines) == 1
    assert [t.get_text() for t in one.axes[0].texts] == [f"{n:,} items" for n in found["items"]]
    assert one.axes[0].get_legend() is None
    legend = several.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["a", r"\$b\$"]
    figures.save(several, tmp_path / "a.png")


@pytest.mark.parametrize("count", [1, 3])
def test_attention_has_what_was_read_and_what_was_written(tmp_path: Path, count: int) -> None:
    weights = np.array([[0.9, 0.1, 0.0], [0.0, 0.2, 0.8]])
    figure = figures.attention([(["ein", "Hund", " "], ["a", "<eos>"], weights)] * count)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["ein", "Hund", "␣"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "<eos>"]
    assert np.array_equal(np.asarray(axes.images[0].get_array()), weights)
    assert sum(bool(axes.images) for axes in figure.axes) == count
    figures.save(figure, tmp_path / "a.png")


def test_what_was_heard_has_its_tokens_where_they_begin(tmp_path: Path) -> None:
    features = np.arange(24.0).reshape(6, 4)
    path = ["", "5", "5", "", "5", "#"]
    figure = figures.transcript_path(
        [(features, path, "55#", "55#"), (features, [""] * 6, "", "7")]
    )
    first, second = figure.axes
    assert [(t.get_text(), t.xy[0]) for t in first.texts] == [("5", 1), ("5", 4), ("#", 5)]
    assert first.get_title(loc="left") == "predicted: 55#"
    assert second.get_title(loc="left") == "predicted:     true: 7"
    figures.save(figure, tmp_path / "a.png")


@pytest.mark.parametrize("attention", ["none", "dot"])
@pytest.mark.parametrize("encoder", [None, "GRU, 8"])
def test_a_network_that_writes_is_drawn(
    tmp_path: Path, attention: str, encoder: str | None
) -> None:
    figure = figures.writer("embedding, 4", encoder, "GRU, 8", 2, attention, False)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("embedding,\n4") == (3 if encoder else 1)
    assert texts.count("GRU, 8 × 2") == (6 if encoder else 3)
    assert texts.count("dot\nattention") == (3 if attention == "dot" else 0)
    assert texts.count("next token") == 3
    fed = figures.writer("embedding, 4", encoder, "GRU, 8", 2, "dot", True)
    unfed = figures.writer("embedding, 4", encoder, "GRU, 8", 2, "dot", False)
    assert len(fed.axes[0].texts) == len(unfed.axes[0].texts) + 2  # an arrow is a text without one
    figures.save(figure, tmp_path / "a.png")


def test_the_network_over_characters_is_drawn_below_the_words(tmp_path: Path) -> None:
    look = ("embedding, 8\n+ 2 × 5", "GRU, 6", 1, False, True, "3 labels")
    figure = figures.unrolled(*look, "characters, 4\nGRU, both ways")
    texts = [text for text in figure.axes[0].texts if text.get_text().startswith("characters")]
    words = [text for text in figure.axes[0].texts if text.get_text().startswith("embedding")]
    assert len(texts) == len(words) == 3
    assert {text.xy[1] for text in texts} == {-1}
    assert {text.xy[1] for text in words} == {0}
    without = figures.unrolled(*look)
    assert len(without.axes[0].texts) == len(figure.axes[0].texts) - 6  # with arrows
    figures.save(figure, tmp_path / "a.png")
