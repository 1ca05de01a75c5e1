"""The test items worth looking at: where the network was surest and wrong, or furthest off."""

from typing import Any

import numpy as np
import pandas

from rnnkit.data.prepare.prepared import Part, Prepared
from rnnkit.params import Experiment
from rnnkit.params.data import BPE, Characters

MOST = 12
"""Rows that are shown."""
LONGEST = 300
"""Characters of an item's text that are shown."""

Rows = list[dict[str, Any]]


def mistakes(
    predictions: pandas.DataFrame, experiment: Experiment, prepared: Prepared
) -> tuple[str, Rows]:
    """A heading and the rows below it, the worst first; none where nothing went wrong.

    Args:
        predictions: of the test part.
        experiment: what was trained.
        prepared: its data, which give each item's text.
    """
    told = Texts(experiment, prepared)
    has_no_right_text = experiment.task.kind == "captioning" and prepared.vocabulary is not None
    if "confidence" in predictions and not has_no_right_text:
        return "Its most confident mistakes", _misspelt(predictions, told)
    if "log_probability" in predictions:
        return "What surprised it most", _surprising(predictions, told)
    if "right" in predictions:
        wrong = predictions[~predictions["right"].astype(bool)]
        return "Where it forgot", _plain(wrong, ["lag", "truth", "predicted"], told)
    if "truth" not in predictions:
        return "Where it was furthest off", _furthest(predictions)
    if "probability" in predictions:
        wrong = predictions[predictions["truth"] != predictions["predicted"]]
        wrong = wrong.sort_values("probability", ascending=False)
        return "Its most confident mistakes", _plain(
            wrong, ["truth", "predicted", "probability"], told
        )
    return "Where most tags are wrong", _mistagged(predictions, told)


class Texts:
    """The text of each test item, as far as the network could read it.

    Args:
        experiment: says how tokens were joined.
        prepared: vocabulary and items.
    """

    def __init__(self, experiment: Experiment, prepared: Prepared) -> None:
        self._part: Part = prepared.parts["test"]
        self._tokenizer = prepared.tokenizer
        self._between = "" if isinstance(experiment.data.tokenizer, Characters | BPE) else " "
        self._places = {item: i for i, item in enumerate(self._part.item.tolist())}

    def tokens(self, item: int) -> list[str]:
        """An item's tokens; none where it is made of numbers."""
        if self._tokenizer is None or item not in self._places:
            return []
        i = self._places[item]
        start, length = int(self._part.input_start[i]), int(self._part.input_length[i])
        ids = self._part.inputs[start : start + length]
        words = ids[:, 0] if ids.ndim == 2 else ids  # beside a word stand its letters
        return [self._tokenizer.piece(k) for k in words.tolist()]

    def __call__(self, item: int) -> str:
        """An item's text, cut where it is long."""
        text = self._between.join(self.tokens(item))
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _plain(wrong: pandas.DataFrame, columns: list[str], told: Texts) -> Rows:
    rows = []
    for _, row in wrong.head(MOST).iterrows():
        found = {"item": int(row["item"]), **{c: row[c] for c in columns}}
        text = "" if "category" in found else told(int(row["item"]))
        if "recording" in row:
            found["recording"] = row["recording"]
        rows.append({**found, "text": text} if text else found)
    return rows


def _misspelt(predictions: pandas.DataFrame, told: Texts) -> Rows:
    wrong = predictions[~predictions["right"].astype(bool)]
    wrong = wrong.sort_values("confidence", ascending=False).drop_duplicates("predicted")
    each = "nats per frame" if "path" in wrong else "nats per token"
    wrong = wrong.assign(**{each: -wrong["confidence"]})
    return _plain(wrong, ["truth", "predicted", each], told)


def _surprising(predictions: pandas.DataFrame, told: Texts) -> Rows:
    counted = "tokens" if "tokens" in predictions else "frames"
    table = predictions.assign(
        nats=-predictions["log_probability"] / predictions[counted].clip(lower=1)
    )
    each = f"nats per {counted[:-1]}"
    worst = table.rename(columns={"nats": each}).sort_values(each, ascending=False)
    named = [name for name in ("category", "truth") if name in worst]  # of captions of categories
    return _plain(worst, [*named, counted, each], told)


def _mistagged(predictions: pandas.DataFrame, told: Texts) -> Rows:
    wrong = [
        int((np.asarray(a) != np.asarray(b)).sum())
        for a, b in zip(predictions["truth"], predictions["predicted"], strict=True)
    ]
    table = predictions.assign(wrong=wrong).sort_values("wrong", ascending=False, kind="stable")
    rows = []
    for _, row in table[table["wrong"] > 0].head(MOST).iterrows():
        tokens = told.tokens(int(row["item"])) or [str(i) for i in range(len(row["truth"]))]
        pairs = [
            f"{token!r}: {right}, not {guess}"
            for token, right, guess in zip(tokens, row["truth"], row["predicted"], strict=False)
            if right != guess
        ]
        rows.append(
            {
                "item": int(row["item"]),
                "wrong": f"{row['wrong']} of {len(row['truth'])}",
                "tags": "; ".join(pairs[:6]) + (" …" if len(pairs) > 6 else ""),
                "text": told(int(row["item"])),
            }
        )
    return rows


def _furthest(predictions: pandas.DataFrame) -> Rows:
    truths = [str(name) for name in predictions if str(name).startswith("truth ")]
    names = [name.removeprefix("truth ") for name in truths]
    kind = "forecast" if f"forecast {names[0]}" in predictions else "predicted"
    table = predictions.copy()
    table["error"] = sum((table[f"truth {n}"] - table[f"{kind} {n}"]).abs() for n in names)
    worst = table.sort_values("error", ascending=False).head(MOST)
    shown = [c for c in ("item", "series", "row", "step") if c in worst]
    shown += [c for n in names for c in (f"truth {n}", f"{kind} {n}")] + ["error"]
    return [dict(zip(shown, values, strict=True)) for values in worst[shown].to_numpy().tolist()]
