"""Recurrences over all steps, compiled by Numba: forward and backpropagation through time.

`recurrence` is the operator for autograd; everything else here is compiled. Importing `recurrence`
imports Numba, and its first call compiles, or loads what is compiled already: see `jit`.
"""
