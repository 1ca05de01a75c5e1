"""The network: representation, recurrent stack, read-out, head, and the topologies made of them."""
