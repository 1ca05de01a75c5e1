"""Token ids that mean something of their own, and what they are called."""

PADDING, UNKNOWN, END = 0, 1, 2  # END is there for what is written alone
PADDING_TOKEN, UNKNOWN_TOKEN, END_TOKEN = "<pad>", "<unk>", "<eos>"
