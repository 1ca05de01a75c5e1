"""The flows: order, decorators and names around the library `rnnkit`. No arithmetic.

For notebooks, `flows.notebook` has `run`, `tune`, `compare` and `load`.
"""
