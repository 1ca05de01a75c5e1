"""The cells' recurrences over all steps at once, each proved equal to its cell's own step."""
