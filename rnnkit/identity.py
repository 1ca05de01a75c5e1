"""What a run's result depends on beside its params: bytes that lie in files the params name."""

from rnnkit.cells import custom
from rnnkit.files import sha256_file, sha256_json
from rnnkit.params import Experiment
from rnnkit.params import model as blocks
from rnnkit.prepare import data_sha256
from rnnkit.pretrained import weights_of
from rnnkit.sources.opening import existing


def inputs_sha256(experiment: Experiment) -> str:
    """Over the data, and word vectors, another run's weights and a cell's source where they are.

    Raises:
        InputError: a file is missing.
    """
    data = data_sha256(experiment.data, experiment.task)
    block, outside = experiment.model.representation, {}
    if isinstance(block, blocks.Embedding) and block.vectors is not None:
        outside["vectors"] = sha256_file(existing(block.vectors))
    if experiment.train.start_from is not None:
        outside["start_from"] = sha256_file(weights_of(experiment.train.start_from))
    if isinstance(experiment.model.cell, blocks.Custom):
        outside["cell"] = sha256_file(custom.source(experiment.model.cell))
    return sha256_json({"data": data, **outside}) if outside else data
