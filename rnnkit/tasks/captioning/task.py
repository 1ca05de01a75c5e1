"""Captioning: a vector or a category in, a sequence out."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.ids import END
from rnnkit.errors import InputError
from rnnkit.nn.model.network import OneToMany
from rnnkit.params.data import Data
from rnnkit.tasks.captioning import examples
from rnnkit.tasks.interface import Baseline, Continuation
from rnnkit.tasks.language_modeling.predictions import MAX_EXAMPLES, CategoryLikelihoods
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.sequence_to_sequence import baselines
from rnnkit.tasks.sequence_to_sequence.predictions import TextPredictions
from rnnkit.tasks.sequence_to_sequence.task import SequenceToSequence


class Captioning(SequenceToSequence[examples.CaptioningFitted]):
    """Cross-entropy per real token; outputs are [batch, steps, tokens]."""

    fitted_type = examples.CaptioningFitted
    read_at_once = "one vector or category"

    @property
    def baselines(self) -> Mapping[str, Baseline]:
        nearest = {} if self.fitted.categories else {"nearest vector": baselines.nearest_vector}
        return {
            "constant text": baselines.constant_text,
            **nearest,
            "unigram": baselines.unigram_text,
            "bigram": baselines.bigram_text,
        }

    @property
    def shown(self) -> tuple[str, ...]:
        """Of a category no text is the right one: how likely those of the test split are counts."""
        return ("perplexity", "loss", "accuracy") if self.fitted.categories else super().shown

    @classmethod
    def predictions_type(cls, params: Any, data: Data) -> type[Predictions]:
        of_categories = data.source.form == "labelled_text"
        return CategoryLikelihoods if of_categories else TextPredictions

    def source_columns(self, batch: Batch) -> dict[str, list[Any]]:
        vocabulary = self.fitted.inputs.vocabulary
        if vocabulary is None:
            return {}
        return {"category": [vocabulary[token] for token in batch.inputs[:, 0].tolist()]}

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        """The most frequent categories; of vectors the texts of the test split are shown."""
        prompts = self.fitted.categories[:MAX_EXAMPLES]
        repeats = MAX_EXAMPLES // len(prompts) if prompts else 0
        return tuple(prompt for prompt in prompts for _ in range(repeats))

    def continuation(self, network: nn.Module, prompt: str) -> Continuation:
        if not prompt and self.fitted.categories:
            raise InputError(
                f"which category is it to be of? Give it with --prompt; there are "
                f"{', '.join(self.fitted.categories[:20])}"
            )
        if not prompt:
            raise InputError(
                f"which vector is it to be of? Give its {self.fitted.inputs.features} numbers with "
                "--prompt, as a JSON list"
            )
        return CaptionContinuation(self, network, prompt)


class CaptionContinuation(Continuation):
    """A text of the category or the vector that the prompt is."""

    def __init__(self, task: Captioning, network: nn.Module, prompt: str) -> None:
        assert isinstance(network, OneToMany)
        self._network, self._target, inputs = network, task.target, task.fitted.inputs
        flat, _ = inputs.read([inputs.of_prompt(prompt)], ["the prompt"])
        read = network.encode_for_decoder(torch.as_tensor(flat)[None], None)
        self._written, self._memory, self._token = read.state, read.memory, END

    def scores(self) -> Float[Tensor, " tokens"]:
        token = torch.tensor([self._token])
        scores, self._written, _ = self._network.decoder.advance(token, self._written, self._memory)
        return scores[0]

    def append(self, token: int) -> None:
        self._token = token

    def text(self, tokens: Sequence[int]) -> str:
        return self._target.decode(tokens)
