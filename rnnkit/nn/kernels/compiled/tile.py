"""Product of a small tile of matrices, in explicit vectors.

A loop over numbers reaches 20 % to 90 % of what the processor can do, depending on the shape; eight
rows by two vectors of AVX-512 keep their sums in registers and reach it at every shape.
"""

from typing import no_type_check

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic


@no_type_check
def host_vector_bytes():
    """Bytes of the processor's widest vectors, or of those of NUMBA_CPU_FEATURES."""
    features = (config.CPU_FEATURES or get_host_cpu_features()).split(",")
    return 64 if "+avx512f" in features else 32 if "+avx2" in features else 16


VECTOR_BYTES: int = host_vector_bytes()
ROWS = 8 if VECTOR_BYTES == 64 else 4
"""Rows of the largest tile: with two vectors of sums each, they fit the registers."""
PANEL_BYTES = 2 * VECTOR_BYTES
"""Width of the widest tile."""

INDEX = ir.IntType(64)
LANE = ir.IntType(32)


@no_type_check
def make_tile(rows, vectors):
    """A function for tiles of some rows by some vectors of columns:

        C[m, :] = init[m, :] + Σ_k a[m, k] b[k, :]

    Each matrix is a flat array, the position of its first number, and the distance of its rows; a
    has also the distance of its columns, those of the others are adjacent.
    """

    @intrinsic
    def tile(
        typing, a, a_at, a_row, a_column, b, b_at, b_row, init, init_at, init_row, c, c_at, c_row,
        depth,
    ):  # fmt: skip
        index = types.intp
        matrix = (c, index, index)
        signature = types.void(a, index, index, index, *(b, *matrix[1:]), *matrix, *matrix, index)
        bits = c.dtype.bitwidth
        number = ir.FloatType() if bits == 32 else ir.DoubleType()
        lanes = VECTOR_BYTES * 8 // bits
        vector = ir.VectorType(number, lanes)

        def generate(context, builder, signature, arguments):
            def pointer(position):
                array = context.make_array(signature.args[position])
                data = array(context, builder, arguments[position]).data
                return builder.gep(data, [arguments[position + 1]])

            def at(start, row_distance, row, column):
                offset = builder.mul(row_distance, ir.Constant(INDEX, row))
                place = builder.gep(
                    start, [builder.add(offset, ir.Constant(INDEX, column * lanes))]
                )
                return builder.bitcast(place, vector.as_pointer())

            def repeated(value):
                undefined = ir.Constant(vector, ir.Undefined)
                first = builder.insert_element(undefined, value, ir.Constant(LANE, 0))
                zeros = ir.Constant(ir.VectorType(LANE, lanes), [0] * lanes)
                return builder.shuffle_vector(first, undefined, zeros)

            a_pointer, b_pointer, init_pointer, c_pointer = map(pointer, (0, 4, 7, 10))
            a_row, a_column, b_row, init_row, c_row, depth = (
                arguments[position] for position in (2, 3, 6, 9, 12, 13)
            )
            multiply_add = cgutils.get_or_insert_function(
                builder.module,
                ir.FunctionType(vector, [vector] * 3),
                f"llvm.fmuladd.v{lanes}f{bits}",  # llvm.fma is a library call without the feature
            )
            places = [(row, column) for row in range(rows) for column in range(vectors)]
            sums = {place: cgutils.alloca_once(builder, vector) for place in places}
            align = bits // 8
            for place in places:
                start = builder.load(at(init_pointer, init_row, *place), align=align)
                builder.store(start, sums[place])
            with cgutils.for_range(builder, depth) as loop:
                b_start = builder.gep(b_pointer, [builder.mul(loop.index, b_row)])
                b_values = [
                    builder.load(at(b_start, b_row, 0, column), align=align)
                    for column in range(vectors)
                ]
                a_start = builder.gep(a_pointer, [builder.mul(loop.index, a_column)])
                for row in range(rows):
                    offset = builder.mul(a_row, ir.Constant(INDEX, row))
                    a_value = repeated(builder.load(builder.gep(a_start, [offset])))
                    for column in range(vectors):
                        place = sums[row, column]
                        term = [a_value, b_values[column], builder.load(place)]
                        builder.store(builder.call(multiply_add, term), place)
            for place in places:
                builder.store(builder.load(sums[place]), at(c_pointer, c_row, *place), align=align)
            return context.get_dummy_value()

        return signature, generate

    return tile
