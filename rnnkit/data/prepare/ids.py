"""Reserved token ids and their tokens."""

PADDING, UNKNOWN, END = 0, 1, 2  # END only for language modelling and decoded targets
PADDING_TOKEN, UNKNOWN_TOKEN, END_TOKEN = "<pad>", "<unk>", "<eos>"
