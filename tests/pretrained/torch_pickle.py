# SPDX-License-Identifier: Apache-2.0
"""The tensors of a state dict that PyTorch wrote before 1.6 (no zip file), read without PyTorch.

The file is a row of pickles (magic number, protocol, machine, the state dict, the storages' keys) and then, in the
order of those keys, every storage: an int64 count and its elements. Little-endian, like the machines we run on.
"""
import collections
import io
import pickle

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
Tensor = collections.namedtuple("Tensor", "storage offset shape strides")


def rebuild_tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, shape, strides)


class StateDictUnpickler(pickle.Unpickler):
    """Knows the names that a state dict needs and no other: a pickle may name any function, to have it called."""

    def __init__(self, file):
        super().__init__(file)
        self.dtypes = {}  # by storage key

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict  # with attributes, which a dict lacks
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild_tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a state dict")

    def persistent_load(self, pid):
        kind, dtype, key, _, _, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"not a plain storage: {pid}")
        self.dtypes[key] = dtype
        return key


def read_storage(file, dtype):
    count = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(count * dtype.itemsize), dtype, count)


def as_array(tensor, storages):
    """Strides count: a sixth of these tensors aren't contiguous."""
    elements = storages[tensor.storage][tensor.offset:]
    strides = [stride * elements.itemsize for stride in tensor.strides]
    return np.ascontiguousarray(np.lib.stride_tricks.as_strided(elements, tensor.shape, strides))


def read_state_dict(data):
    """{name: array} of the file's bytes."""
    file = io.BytesIO(data)
    magic, protocol, _ = (StateDictUnpickler(file).load() for _ in range(3))
    if (magic, protocol) != (MAGIC, PROTOCOL):
        raise ValueError("not a file of torch.save before PyTorch 1.6")
    unpickler = StateDictUnpickler(file)
    tensors = unpickler.load()
    keys = StateDictUnpickler(file).load()
    storages = {key: read_storage(file, unpickler.dtypes[key]) for key in keys}
    return {name: as_array(tensor, storages) for name, tensor in tensors.items()}
