"""Why a network learns or does not: measurements of a training, and verdicts with what to try.

verdict    a sentence with its evidence and params to try; at most three are shown
rules      the table of rules: weight, thresholds and meaning of every verdict
subject    what is measured, and what is judged
judging    the tables of all measurements and judges
recording  every step of a network's recurrent cells
gradient   the gradient through time
spectrum   recurrent weights, gates and activations
probe      the items on which both are measured during training

Measurements use copies of the weights and change no training.
"""
