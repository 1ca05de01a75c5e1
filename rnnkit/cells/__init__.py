"""The name under which users' own cells import `interface`; cells are in `rnnkit.nn.cells`."""
