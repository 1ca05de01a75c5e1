"""The registered model as MLflow loads it: bad input is an error of MLflow's, in one clear line.

An error of another class would be told by `mlflow models serve` as "an unexpected error", with the
reason in a traceback.
"""

from collections.abc import Mapping
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

from rnnkit.errors import InputError
from rnnkit.inference.pyfunc import Served
from rnnkit.inference.pyfunc import _load_pyfunc as load


class ServedModel:
    """Answers tables, arrays and lists, as `rnnkit.inference.pyfunc.Served` does."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def predict(self, model_input: Any, params: Mapping[str, Any] | None = None) -> Any:
        """An answer for each input.

        Raises:
            MlflowException: the input is not what the network reads; status 400 of a server.
        """
        try:
            return self._served.predict(model_input, params)
        except InputError as error:
            raise MlflowException(f"{error}", error_code=INVALID_PARAMETER_VALUE) from None


def _load_pyfunc(path: str) -> ServedModel:
    """Load the model; MLflow calls this with the folder of its files.

    Raises:
        MlflowException: the model's files are damaged.
    """
    try:
        return ServedModel(load(path))
    except InputError as error:
        raise MlflowException(f"{error}", error_code=INVALID_PARAMETER_VALUE) from None
