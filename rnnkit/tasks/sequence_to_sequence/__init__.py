"""What tasks share whose targets are token sequences of their own length."""
