"""`python -m flows.cli` is `rnnkit`."""

from flows.cli import main

main()
