"""Figures of a run and of a study: plain data in, a matplotlib Figure out.

    learning_curves    losses, the monitored metric and the gradient norm of a training
    range_test         the loss over the learning rate
    memory_span        the loss over the lag from which on the past is lost, and the data's own
    gradient_norms     histogram of the norms before clipping
    calibration        accuracy over confidence
    hidden_states      heat map of hidden states over time
    confusion_matrix   predicted over true classes: classification and tagging
    forecasts          forecasts over the truth, and the error by step of the horizon
    rows_ahead         forecasts of the rows behind a table
    surprise           bits per token of windows, nats per frame of pieces
    accuracy_by_lag    accuracy over the lag: memory
    predicted          predicted over true numbers: vector
    study              the trials of a search and their curves
    history            the value of each trial and the best so far
    importance         importance of the searched keys
    parallel           parallel coordinates of the trials
    bands, intervals   variants over their epochs, and their differences from the first one
    claim_figure       variants with every seed, beside each other or over conditions
    scores_by_length   a metric over the length of the input: generated texts and transcripts
    attention          attention weights of a decoder
    transcript_path    predicted tokens over the frames of a recording
    unrolled           the network over time; feed_forward: without time; writer: with a decoder
    gradient_through_time  norm of the gradient over the lag, and over the training
    recurrent_weights  spectral radius, Jacobian gain and units over the training
    coloured_code      source code coloured by predicted classes, beside the true ones
    save, save_all     write figures as PNG files

No pyplot and no global matplotlib settings are used, so figures can be drawn in any thread.
"""

from matplotlib.figure import Figure

from rnnkit.figures.ahead import rows_ahead
from rnnkit.figures.alignment import attention, transcript_path
from rnnkit.figures.calibration import calibration
from rnnkit.figures.claim import claim_figure
from rnnkit.figures.code import coloured_code
from rnnkit.figures.comparison import bands, intervals, scores_by_length
from rnnkit.figures.confusion import confusion_matrix
from rnnkit.figures.curves import learning_curves
from rnnkit.figures.diagnosis import gradient_through_time, recurrent_weights
from rnnkit.figures.forecast import forecasts
from rnnkit.figures.gradient_norms import gradient_norms
from rnnkit.figures.hidden_states import hidden_states
from rnnkit.figures.items import accuracy_by_lag, predicted, surprise
from rnnkit.figures.memory_span import memory_span
from rnnkit.figures.range_test import range_test
from rnnkit.figures.style import save, save_all
from rnnkit.figures.sweep import history, importance, parallel, study
from rnnkit.figures.unrolled import feed_forward, unrolled, writer

__all__ = [
    "Figure",
    "accuracy_by_lag",
    "attention",
    "bands",
    "calibration",
    "claim_figure",
    "coloured_code",
    "confusion_matrix",
    "feed_forward",
    "forecasts",
    "gradient_norms",
    "gradient_through_time",
    "hidden_states",
    "history",
    "importance",
    "intervals",
    "learning_curves",
    "memory_span",
    "parallel",
    "predicted",
    "range_test",
    "recurrent_weights",
    "rows_ahead",
    "save",
    "save_all",
    "scores_by_length",
    "study",
    "surprise",
    "transcript_path",
    "unrolled",
    "writer",
]
