"""Matrix products over tiles, and weights packed for them."""

from typing import no_type_check

from rnnkit.nn.kernels.compiled.jit import jit
from rnnkit.nn.kernels.compiled.tile import PANEL_BYTES, ROWS, make_tile

HALF = ROWS // 2
full_wide, half_wide, row_wide = (make_tile(rows, 2) for rows in (ROWS, HALF, 1))
full_narrow, half_narrow, row_narrow = (make_tile(rows, 1) for rows in (ROWS, HALF, 1))


@no_type_check
@jit
def multiply(
    rows, columns, depth, a, a_at, a_row, a_column, b, b_at, b_row, b_panel,
    init, init_at, init_row, c, c_at, c_row,
):  # fmt: skip
    """C = init + A B, C [rows, columns], A [rows, depth].

    Columns are a multiple of the numbers in a vector. B consists of panels of PANEL_BYTES, at a
    distance of `b_panel`: adjacent columns of a matrix, or packed ones. `init_row` 0 repeats a row.
    """
    panel = PANEL_BYTES // c.itemsize
    for first in range(0, columns, panel):
        b_first = b_at + first // panel * b_panel
        is_wide = columns - first >= panel
        row = 0
        while row < rows:
            a_first = a_at + row * a_row
            init_first = init_at + row * init_row + first
            c_first = c_at + row * c_row + first
            if rows - row >= ROWS:
                if is_wide:
                    full_wide(
                        a, a_first, a_row, a_column, b, b_first, b_row,
                        init, init_first, init_row, c, c_first, c_row, depth,
                    )  # fmt: skip
                else:
                    full_narrow(
                        a, a_first, a_row, a_column, b, b_first, b_row,
                        init, init_first, init_row, c, c_first, c_row, depth,
                    )  # fmt: skip
                row += ROWS
            elif rows - row >= HALF:
                if is_wide:
                    half_wide(
                        a, a_first, a_row, a_column, b, b_first, b_row,
                        init, init_first, init_row, c, c_first, c_row, depth,
                    )  # fmt: skip
                else:
                    half_narrow(
                        a, a_first, a_row, a_column, b, b_first, b_row,
                        init, init_first, init_row, c, c_first, c_row, depth,
                    )  # fmt: skip
                row += HALF
            else:
                if is_wide:
                    row_wide(
                        a, a_first, a_row, a_column, b, b_first, b_row,
                        init, init_first, init_row, c, c_first, c_row, depth,
                    )  # fmt: skip
                else:
                    row_narrow(
                        a, a_first, a_row, a_column, b, b_first, b_row,
                        init, init_first, init_row, c, c_first, c_row, depth,
                    )  # fmt: skip
                row += 1


@no_type_check
@jit
def pack(weights, gates, is_transposed, packed):
    """The blocks of all gates as panels, padded with zeros: adjacent memory is read in order.

    weights [gates * hidden, inputs]; each block W gives B = W, or W transposed.
    """
    hidden, inputs = weights.shape[0] // gates, weights.shape[1]
    depth, columns = (inputs, hidden) if is_transposed else (hidden, inputs)
    panel = PANEL_BYTES // packed.itemsize
    at = 0
    for gate in range(gates):
        block = weights[gate * hidden : (gate + 1) * hidden]
        for first in range(0, columns, panel):
            width = min(panel, columns - first)
            for k in range(depth):
                for column in range(width):
                    packed[at + column] = (
                        block[first + column, k] if is_transposed else block[k, first + column]
                    )
                packed[at + width : at + panel] = 0
                at += panel
