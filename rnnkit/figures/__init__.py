"""The pictures of a run and of a study: plain data in, a matplotlib Figure out.

    learning_curves    losses, the monitored metric and the gradient of one training
    confusion_matrix   which class is taken for which: classification and tagging
    forecasts          forecasts over the truth, and the error by step of the horizon
    surprise           bits per token over windows, nats per frame over pieces
    remembered         right answers over the lag: memory
    told               numbers over the true ones: vector
    study              the trials of a search and their curves
    history            what a search found over time
    importance         which searched keys decide
    parallel           the values of each trial side by side
    bands, intervals   variants over their epochs, and against the first one
    scores_by_length   a metric over the length of what was read: what is written or transcribed
    attention          where a decoder looked before each token
    heard              which token was told at which frame of a recording
    unrolled           the network over three time steps; feed_forward: without time; writer: an
                       encoder and a decoder
    coloured_code      source code coloured by the network, beside the truth
    save               a figure as a PNG file

Nothing here uses pyplot or matplotlib's global settings, so figures can be made in any thread.
"""

from matplotlib.figure import Figure

from rnnkit.figures.bands import bands, intervals
from rnnkit.figures.code import coloured_code
from rnnkit.figures.confusion import confusion_matrix
from rnnkit.figures.curves import learning_curves
from rnnkit.figures.forecast import forecasts
from rnnkit.figures.language import surprise
from rnnkit.figures.memory import remembered
from rnnkit.figures.numbers import told
from rnnkit.figures.search import history, importance, parallel
from rnnkit.figures.style import save
from rnnkit.figures.texts import attention, heard, scores_by_length
from rnnkit.figures.trials import study
from rnnkit.figures.unrolled import feed_forward, unrolled, writer

__all__ = [
    "Figure",
    "attention",
    "bands",
    "coloured_code",
    "confusion_matrix",
    "feed_forward",
    "forecasts",
    "heard",
    "history",
    "importance",
    "intervals",
    "learning_curves",
    "parallel",
    "remembered",
    "save",
    "scores_by_length",
    "study",
    "surprise",
    "told",
    "unrolled",
    "writer",
]
