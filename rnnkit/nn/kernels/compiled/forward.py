"""The recurrence over all real steps of a batch.

Rows are packed: those of step 0 for all sequences, the longest sequence first, then those of step 1
for the sequences that have one, and so on: padding costs nothing. Each step writes the states of
its rows where those of the next step begin. Units are padded to whole vectors, weights with zeros.
"""

from typing import no_type_check

from rnnkit.nn.kernels.compiled import gru, lstm, rnn
from rnnkit.nn.kernels.compiled.jit import jit
from rnnkit.nn.kernels.compiled.kinds import GRU, LSTM
from rnnkit.nn.kernels.compiled.products import multiply, pack
from rnnkit.nn.kernels.compiled.rows import copy, gather, scatter
from rnnkit.nn.kernels.compiled.tile import PANEL_BYTES


@no_type_check
@jit
def forward(
    kind, gates, sizes, inputs, place, output_place, offset, order, block, W_xh, W_hh, b_h, b_hn,
    dropout, h_0, c_0, values, states, recurrent, cells, outputs, h_last, c_last, x, packed,
):  # fmt: skip
    """Outputs and final states. Arrays of numbers are flat, but for the weights.

    Args:
        kind, gates: see rnnkit.nn.kernels.compiled.kinds.
        sizes: whether all rows are kept for the backward pass, or those of one block at a time;
            whether there is recurrent dropout; units, padded; packed rows that are kept.
        inputs: [batch, time, inputs], in any order of batch and time.
        place, output_place: of each packed row in `inputs` and in `outputs`.
        offset: the first packed row of each step, and the end.
        order: the sequence of each row of a step.
        block: the first step of each block of steps, and the end. The inputs of a block are
            multiplied at once.
        W_xh, W_hh, b_h, b_hn: of the cell; b_hn of a GRU.
        dropout: [batch, units], recurrent dropout mask in packed order.
        h_0, c_0: [batch, hidden], initial state; c_0 of an LSTM.
        values: [stored, kept rows, units], out: the gates.
        states: [kept rows + batch, units], out: h before each packed row.
        recurrent: as `states`, out: what W_hh is multiplied by; the same array without dropout.
        cells: as `states`, out: c before each packed row of an LSTM.
        outputs: as `inputs`: [batch, time, hidden], out at real steps.
        h_last, c_last: [batch, hidden], out.
        x: [rows of a block, inputs], packed: memory to work in.
    """
    is_kept, has_dropout, units, kept_rows = sizes
    features, hidden = W_xh.shape[1], W_hh.shape[1]
    panel = PANEL_BYTES // values.itemsize
    panels = (hidden + panel - 1) // panel * panel
    of_x, of_h = packed[: gates * panels * features], packed[gates * panels * features :]
    pack(W_xh, gates, True, of_x)
    pack(W_hh, gates, True, of_h)
    bias = of_h[gates * panels * hidden :]
    bias[:] = 0
    for gate in range(gates):
        bias[gate * units : gate * units + hidden] = b_h[gate * hidden : (gate + 1) * hidden]
    if kind == GRU:
        bias[3 * units : 3 * units + hidden] = b_hn
    plane = kept_rows * units  # of one gate
    batch, steps = order.size, offset.size - 1
    states[: batch * units] = 0
    gather(h_0, hidden, order, 0, batch, states, 0, units)
    if kind == LSTM:
        cells[: batch * units] = 0
        gather(c_0, hidden, order, 0, batch, cells, 0, units)
    active = offset[1] if steps else 0
    scatter(states, active * units, units, order, active, batch - active, h_last, hidden)
    if kind == LSTM:
        scatter(cells, active * units, units, order, active, batch - active, c_last, hidden)
    for number in range(block.size - 1):
        start, end = block[number], block[number + 1]
        first, rows = offset[start], offset[end] - offset[start]
        base = 0 if is_kept else first
        if number and not is_kept:  # the states that the last block ended with
            from_row = (first - offset[block[number - 1]]) * units
            copy(states, from_row, states, 0, (offset[start + 1] - first) * units)
            if kind == LSTM:
                copy(cells, from_row, cells, 0, (offset[start + 1] - first) * units)
        gather(inputs, features, place, first, rows, x, 0, features)
        for gate in range(gates):
            multiply(
                rows, units, features, x, 0, features, 1,
                of_x, gate * panels * features, panel, panel * features,
                bias, gate * units, 0, values, gate * plane + (first - base) * units, units,
            )  # fmt: skip
        for step in range(start, end):
            n = offset[step + 1] - offset[step]
            m = n * units
            at = (offset[step] - base) * units
            after = at + m
            if has_dropout:
                for j in range(m):
                    recurrent[at + j] = states[at + j] * dropout[j]
            for gate in range(gates):
                to = gate * plane + at
                if kind == GRU and gate == 2:
                    to = 3 * plane + at
                    multiply(
                        n, units, hidden, recurrent, at, units, 1,
                        of_h, gate * panels * hidden, panel, panel * hidden,
                        bias, 3 * units, 0, values, to, units,
                    )  # fmt: skip
                else:
                    multiply(
                        n, units, hidden, recurrent, at, units, 1,
                        of_h, gate * panels * hidden, panel, panel * hidden,
                        values, to, units, values, to, units,
                    )  # fmt: skip
            value, h = values[at:after], states[after : after + m]
            if kind in (LSTM, GRU):
                second = values[plane + at : plane + after]
                third = values[2 * plane + at : 2 * plane + after]
                fourth = values[3 * plane + at : 3 * plane + after]
                if kind == LSTM:
                    c_before, c = cells[at:after], cells[after : after + m]
                    lstm.advance(value, second, third, fourth, c_before, c, h)
                else:
                    gru.advance(value, second, third, fourth, states[at:after], h)
            else:
                rnn.advance(kind, value, h)
            scatter(states, after, units, output_place, offset[step], n, outputs, hidden)
            going_on = offset[step + 2] - offset[step + 1] if step + 1 < steps else 0
            ended = after + going_on * units
            scatter(states, ended, units, order, going_on, n - going_on, h_last, hidden)
            if kind == LSTM:
                scatter(cells, ended, units, order, going_on, n - going_on, c_last, hidden)
