"""Pictures: drawn from a few numbers whose truth is known."""
