"""Language modelling: P(w_t | w_1 … w_{t-1}), the next token at every step (synced)."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rnnkit.data.batches import Batch
from rnnkit.data.prepare.ids import END
from rnnkit.metrics import TokenMeter
from rnnkit.nn.losses import IGNORED, cross_entropy, masked_mean
from rnnkit.nn.model.network import Synced
from rnnkit.tasks.interface import Baseline, Continuation, Figures, Task
from rnnkit.tasks.language_modeling import examples
from rnnkit.tasks.language_modeling.baselines import bigram, unigram
from rnnkit.tasks.language_modeling.predictions import TokenLikelihoods
from rnnkit.tasks.predictions import Predictions
from rnnkit.tasks.streaming import SequenceStream

SAMPLES = 3
"""Generated texts in a report."""


class TokenStream(SequenceStream):
    """A text that comes token by token: the log-probability of each, given those before it."""

    def __init__(self, task: "LanguageModeling", network: nn.Module) -> None:
        super().__init__(task, network)
        with torch.no_grad():
            self._next = self.run(torch.tensor([END]))  # a text begins after an end
        self._feed = self.inputs.token
        self.steps = 0

    def answer(self, new: Int[Tensor, " time"]) -> dict[str, Any]:
        nats = float(cross_entropy(self._next, new))
        self._next = self.run(new)
        return {"log_probability": -nats}

    @torch.no_grad()
    def end(self) -> dict[str, Any]:
        """The log-probability that the text ends here."""
        return {"log_probability": -float(cross_entropy(self._next, torch.tensor([END])))}


class LanguageModeling(Task[examples.LanguageModelingFitted]):
    """Cross-entropy per real token; outputs are [batch, time, vocabulary]."""

    fitted_type = examples.LanguageModelingFitted
    fit = staticmethod(examples.fit)
    stream_type = TokenStream
    table_type = TokenLikelihoods
    meter_type = TokenMeter
    readout = "next token"
    baselines: Mapping[str, Baseline] = {"unigram": unigram, "bigram": bigram}

    @property
    def outputs(self) -> int:
        return len(self.fitted.inputs.tokenizer.vocabulary)

    def loss(self, outputs: Float[Tensor, "batch time tokens"], batch: Batch) -> Float[Tensor, ""]:
        return masked_mean(cross_entropy(outputs, batch.targets), batch.mask)

    def measure(self, meter: TokenMeter, outputs: Tensor, batch: Batch) -> None:
        real = batch.targets != IGNORED
        right = outputs.argmax(dim=-1) == batch.targets
        meter.update(cross_entropy(outputs, batch.targets)[real], right[real])

    def predictions(
        self, outputs: Float[Tensor, "batch time tokens"], batch: Batch
    ) -> dict[str, list[Any]]:
        real = batch.targets != IGNORED
        nats = cross_entropy(outputs, batch.targets)
        return {
            "item": batch.item.tolist(),
            "tokens": real.sum(dim=1).tolist(),
            "log_probability": (-nats.sum(dim=1)).tolist(),
        }

    def figures(self, predictions: Predictions) -> Figures:
        from rnnkit import figures

        yield "surprise", figures.surprise(predictions.table, "token")

    @property
    def sample_prompts(self) -> tuple[str, ...]:
        return ("",) * SAMPLES

    def continuation(self, network: nn.Module, prompt: str) -> Continuation:
        return TextContinuation(self, network, prompt)

    def answer(
        self, outputs: Float[Tensor, "time tokens"], inputs: Int[Tensor, " time"]
    ) -> dict[str, Any]:
        """Of a text with its end: inputs begin with the end of what came before."""
        nats = cross_entropy(outputs, torch.cat([inputs[1:], torch.tensor([END])]))
        return {
            "log_probability": -float(nats.sum()),
            "tokens": len(nats),
            "perplexity": float(nats.mean().exp()),
        }


class TextContinuation(Continuation):
    """A text that begins with a prompt; the state remembers it, so that a token is one step."""

    def __init__(self, task: LanguageModeling, network: nn.Module, prompt: str) -> None:
        assert isinstance(network, Synced)
        self._network, self._prompt, self._inputs = network, prompt, task.fitted.inputs
        ids, _ = self._inputs.tokenizer.encode([self._inputs.item(prompt, "the prompt")])
        self._given = torch.cat([torch.tensor([END]), torch.as_tensor(ids)])
        self._states: Any = None

    def scores(self) -> Float[Tensor, " tokens"]:
        given = self._given[None]
        outputs, self._states = self._network.run(given, None, self._states, True, "auto")
        return outputs[0, -1]

    def append(self, token: int) -> None:
        self._given = torch.tensor([token])

    def text(self, tokens: Sequence[int]) -> str:
        between = self._inputs.tokenizer.separator if self._prompt and tokens else ""
        return f"{self._prompt}{between}{self._inputs.tokenizer.model.decode(list(tokens))}"
