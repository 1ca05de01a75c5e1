"""The network: representation, recurrent stack, read-out, head, and their topologies."""
