"""Backpropagation through time: the gradients of `forward`, in the reverse order of its steps.

What `forward` kept stays as it is, so the pass can run again.
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
def backward(
    kind, gates, sizes, inputs, place, output_place, offset, order, block, W_xh, W_hh, dropout,
    values, states, recurrent, cells, d_outputs, d_h_last, d_c_last, d_inputs, d_W_xh, d_W_hh,
    d_b_h, d_b_hn, d_h_0, d_c_0, d, dh, dc, dm, x, da, packed, sums,
):  # fmt: skip
    """Gradients of the loss. Arrays are flat, but for the weights and their gradients.

    Args:
        sizes: whether d_inputs is wanted, whether there is recurrent dropout, units and inputs,
            padded, and the most rows of a block.
        output_place: of each packed row in `d_outputs`.
        d_outputs, d_h_last, d_c_last: of the loss by the outputs and the final states.
        d_inputs, d_W_xh, d_W_hh, d_b_h, d_b_hn, d_h_0, d_c_0: out.
        d, dh, dc, dm: [batch, units], x: [rows of a block, inputs, padded], da: [stored, rows of a
            block, units], packed, sums: memory to work in.
        The others: as in `forward`.
    """
    needs_inputs, has_dropout, units, width, capacity = sizes
    features, hidden = W_xh.shape[1], W_hh.shape[1]
    panel = PANEL_BYTES // d.itemsize
    of_x = (features + panel - 1) // panel * panel * hidden  # numbers of one gate
    of_h = (hidden + panel - 1) // panel * panel * hidden
    packed_x, packed_h = packed[gates * of_h :], packed[: gates * of_h]
    pack(W_hh, gates, False, packed_h)
    if needs_inputs:
        pack(W_xh, gates, False, packed_x)
    batch = order.size
    whole, plane = offset[-1] * units, capacity * units  # of one gate
    is_gated = kind in (LSTM, GRU)
    stored = 4 if is_gated else 1
    last = 3 if kind == GRU else gates - 1  # of a GRU the gradient of W_hn h + b_hn
    sum_h = sums[gates * hidden * width :]
    bias = sum_h[gates * hidden * units :]
    zero, ones = bias[stored * units :], sums[sums.size - 1 :]
    sums[:] = 0
    ones[:] = 1
    for vector in (d, dh, dc, x):
        vector[:] = 0
    gather(d_h_last, hidden, order, 0, batch, dh, 0, units)
    if kind == LSTM:
        gather(d_c_last, hidden, order, 0, batch, dc, 0, units)
    for number in range(block.size - 2, -1, -1):
        start, end = block[number], block[number + 1]
        base, rows = offset[start], offset[end] - offset[start]
        gather(inputs, features, place, base, rows, x, 0, width)
        for step in range(end - 1, start - 1, -1):
            n = offset[step + 1] - offset[step]
            m = n * units
            at, to = offset[step] * units, (offset[step] - base) * units
            gather(d_outputs, hidden, output_place, offset[step], n, d, 0, units)
            for j in range(m):
                d[j] += dh[j]
            value, d_first = values[at : at + m], da[to : to + m]
            if is_gated:
                second = values[whole + at : whole + at + m]
                third = values[2 * whole + at : 2 * whole + at + m]
                fourth = values[3 * whole + at : 3 * whole + at + m]
                d_second = da[plane + to : plane + to + m]
                d_third = da[2 * plane + to : 2 * plane + to + m]
                d_fourth = da[3 * plane + to : 3 * plane + to + m]
                if kind == LSTM:
                    lstm.differentiate(
                        value, second, third, fourth, cells[at : at + m], d[:m], dc[:m],
                        d_first, d_second, d_third, d_fourth,
                    )  # fmt: skip
                else:
                    gru.differentiate(
                        value, second, third, fourth, states[at : at + m], d[:m], dh[:m],
                        d_first, d_second, d_third, d_fourth,
                    )  # fmt: skip
            else:
                rnn.differentiate(kind, value, d[:m], d_first)
            product = dm if has_dropout else dh
            for gate in range(gates):
                source = (last if gate == gates - 1 else gate) * plane + to
                is_new = gate == 0 and (has_dropout or kind != GRU)
                multiply(
                    n, units, hidden, da, source, units, 1,
                    packed_h, gate * of_h, panel, panel * hidden,
                    zero if is_new else product, 0, 0 if is_new else units, product, 0, units,
                )  # fmt: skip
            if has_dropout:
                if kind != GRU:
                    dh[:m] = 0
                for j in range(m):
                    dh[j] += dm[j] * dropout[j]
        for gate in range(gates):
            multiply(
                hidden, width, rows, da, gate * plane, 1, units, x, 0, width, panel,
                sums, gate * hidden * width, width, sums, gate * hidden * width, width,
            )  # fmt: skip
            multiply(
                hidden, units, rows, da, (last if gate == gates - 1 else gate) * plane, 1, units,
                recurrent, base * units, units, panel,
                sum_h, gate * hidden * units, units, sum_h, gate * hidden * units, units,
            )  # fmt: skip
        for gate in range(stored):
            multiply(
                1, units, rows, ones, 0, 0, 0, da, gate * plane, units, panel,
                bias, gate * units, units, bias, gate * units, units,
            )  # fmt: skip
        if needs_inputs:
            for gate in range(gates):
                multiply(
                    rows, width, hidden, da, gate * plane, units, 1,
                    packed_x, gate * of_x, panel, panel * hidden,
                    x if gate else zero, 0, width if gate else 0, x, 0, width,
                )  # fmt: skip
            scatter(x, 0, width, place, base, rows, d_inputs, features)
    scatter(dh, 0, units, order, 0, batch, d_h_0, hidden)
    if kind == LSTM:
        scatter(dc, 0, units, order, 0, batch, d_c_0, hidden)
    for row in range(gates * hidden):
        copy(sums, row * width, d_W_xh, row * features, features)
        copy(sum_h, row * units, d_W_hh, row * hidden, hidden)
    for gate in range(gates):
        copy(bias, gate * units, d_b_h, gate * hidden, hidden)
    if kind == GRU:
        copy(bias, 3 * units, d_b_hn, 0, hidden)
