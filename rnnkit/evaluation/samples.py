"""Texts that a trained language model or captioner generates, for its report."""

from torch import nn

from rnnkit.inference.generate import draw
from rnnkit.runtime import numerics
from rnnkit.tasks import Task

MAX_TOKENS = {True: 300, False: 60}
"""Tokens of a sample, where they are characters and where they are words or byte pairs."""
TEMPERATURE = 1.0
"""The network's own distribution; the default of `rnnkit generate`."""


def samples(task: Task, network: nn.Module, seed: int) -> list[dict[str, str]]:
    """Generated texts: `prompt` and `text` of each; none for tasks that generate no text.

    Args:
        task: the task on the run's data.
        network: trained; its training mode is restored.
        seed: the run's; the same network and seed give the same texts.
    """
    if not task.sample_prompts:
        return []
    was_training = network.training
    network.eval()
    generator = numerics.generator(seed, "samples")
    tokens = MAX_TOKENS[task.generates_characters]
    texts = [
        draw(task.continuation(network, prompt), tokens, TEMPERATURE, None, generator)
        for prompt in task.sample_prompts
    ]
    network.train(was_training)
    return [
        {"prompt": prompt, "text": text}
        for prompt, text in zip(task.sample_prompts, texts, strict=True)
    ]
