"""Names under which stored models and users' own cells import what has moved."""

import rnnkit.cells.interface
import rnnkit.served
from rnnkit.inference import pyfunc
from rnnkit.nn.cells import interface


def test_a_registered_models_loader_keeps_its_name() -> None:
    assert rnnkit.served._load_pyfunc is pyfunc._load_pyfunc


def test_a_users_cell_finds_its_interface_under_its_older_name() -> None:
    assert rnnkit.cells.interface.Cell is interface.Cell
