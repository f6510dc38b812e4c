"""Pickles of our types, changed: what loads is used, saved and loaded again.

A pickle may call what it names, so that one from a stranger is never to be loaded.  Here it may
name our types alone.
"""

import io
import pickle
import struct

import natkit
import plt

ALLOWED = {"plt", "natkit", "pldns", "ipp"}
#: What our own code raises on a pickle that is not whole, and what pickle does on its part of it.
REFUSED = (
    ValueError, TypeError, LookupError, EOFError, AttributeError, ImportError,
    OverflowError, MemoryError, pickle.UnpicklingError, AssertionError, NameError, RuntimeError,
    ArithmeticError, StopIteration, struct.error, plt.LibtraceError,
)  # fmt: skip


def bytearray_of(content: bytes | str = b"", *encoding: str) -> bytearray:
    """What a pickle makes a bytearray by, but for an int, which is a length to take memory for."""
    if isinstance(content, int):
        raise pickle.UnpicklingError(str(content))
    return bytearray(content, *encoding)


def get_maker(holder: object, name: str) -> object:
    """The method by which a pickle makes an object of one of our types."""
    if isinstance(holder, type) and holder.__module__.partition(".")[0] in ALLOWED:
        return getattr(holder, name)
    raise pickle.UnpicklingError(name)


#: What stands for the builtins that our pickles name.
BUILTINS = {"getattr": get_maker, "bytearray": bytearray_of}


class Limited(pickle._Unpickler):  # type: ignore[name-defined] # not C's, whose memo takes any size
    """An unpickler that finds our own names only."""

    def load_bytearray8(self) -> None:
        """Read a bytearray; pickle's own takes memory of the length that it says first."""
        (length,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(length)))

    dispatch = pickle._Unpickler.dispatch | {  # type: ignore[name-defined]
        pickle.BYTEARRAY8[0]: load_bytearray8
    }

    def find_class(self, module: str, name: str) -> object:
        if module.partition(".")[0] in ALLOWED and "." not in name:
            return super().find_class(module, name)
        if (module, name) == ("_codecs", "encode"):
            return super().find_class(module, name)
        if module in ("builtins", "__builtin__") and name in BUILTINS:
            return BUILTINS[name]
        raise pickle.UnpicklingError(name)


def use(value: object) -> None:
    repr(value)
    if isinstance(value, plt.Table):
        for name in value:
            value[name], value.mask(name)
        value.describe()
        value[:1], str(value), value.to_arrow()
    elif isinstance(value, natkit.FlowTable):
        len(value), value.columns(), list(value), value.top(3)
        value.flush()
        value.expired()
    elif isinstance(value, natkit.Flows):
        list(value)
    elif isinstance(value, natkit.Flow):
        for name in dir(value):
            if not name.startswith("__"):
                getattr(value, name)
    pickle.dumps(value)


def one_input(content: bytes) -> None:
    """Load what may be a pickle, and use it."""
    try:
        value = Limited(io.BytesIO(content)).load()
    except REFUSED:
        return
    if type(value).__module__.partition(".")[0] not in ALLOWED or isinstance(value, type):
        return
    try:
        use(value)
    except (ValueError, TypeError, AttributeError, MemoryError):
        return
