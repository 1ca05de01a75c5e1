"""The flows: order, decorators and names around the library `rnnkit`. No arithmetic."""
