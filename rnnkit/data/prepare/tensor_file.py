"""Write tensors in the safetensors format, some of their bytes at a time.

The library's own writer reads all bytes of all tensors: those that are mapped from a file would
then all be in memory. Format: https://huggingface.co/docs/safetensors
"""

import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from rnnkit.runtime import scratch
from rnnkit.runtime.disk import naming

BLOCK_BYTES = 2**24
ALIGNMENT = 8
"""Bytes: of the header's length, and of the largest element."""
NAMES: Mapping[torch.dtype, str] = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int16: "I16",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.float64: "F64",
}
"""Types of the tensors of prepared data, as the format names them."""


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a new file, and see it onto the disk.

    Args:
        path: of the file; there is none yet.
        tensors: by name, contiguous.
    """
    # The largest elements first, so that each tensor begins at a multiple of its elements' size
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header, begin = {}, 0
    for name in order:
        tensor = tensors[name]
        end = begin + tensor.nbytes
        shape = list(tensor.shape)
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": shape,
            "data_offsets": [begin, end],
        }
        begin = end
    described = json.dumps(header, separators=(",", ":")).encode()
    described += b" " * (-len(described) % ALIGNMENT)
    with naming(path), path.open("xb") as file:
        file.write(struct.pack("<Q", len(described)) + described)
        for name in order:
            content = tensors[name].flatten().view(torch.uint8)
            for block in content.split(BLOCK_BYTES):
                file.write(block.numpy().data)
                scratch.release_pages()
        file.flush()
        os.fsync(file.fileno())
