"""The name under which models were registered; the module is `rnnkit.inference.pyfunc`."""

from rnnkit.inference.pyfunc import _load_pyfunc

__all__ = ["_load_pyfunc"]
