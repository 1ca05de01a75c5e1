"""Copy rows of a matrix to packed rows, and back.

Matrices are flat arrays. Rows are short and a loop over their numbers would run one by one, because
the compiler cannot know that two arrays do not overlap.
"""

from typing import no_type_check

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from rnnkit.nn.kernels.compiled.jit import jit


@no_type_check
@intrinsic
def copy(typing, source, source_at, target, target_at, count):
    """Copy adjacent numbers from one array to another one."""
    index = types.intp
    signature = types.void(source, index, target, index, index)

    def generate(context, builder, signature, arguments):
        source, source_at, target, target_at, count = arguments
        array = context.make_array(signature.args[0])
        start = builder.gep(array(context, builder, source).data, [source_at])
        end = builder.gep(array(context, builder, target).data, [target_at])
        size = context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype))
        cgutils.raw_memcpy(builder, end, start, count, size)
        return context.get_dummy_value()

    return signature, generate


@no_type_check
@jit
def gather(matrix, width, place, first, rows, packed, at, distance):
    """Packed rows from position `at` on, at a distance, from the rows of a matrix at their places.

    Where the width is less than the distance, the rest of a packed row stays as it is.
    """
    for row in range(rows):
        copy(matrix, place[first + row] * width, packed, at + row * distance, width)


@no_type_check
@jit
def scatter(packed, at, distance, place, first, rows, matrix, width):
    """The inverse of `gather`."""
    for row in range(rows):
        copy(packed, at + row * distance, matrix, place[first + row] * width, width)
