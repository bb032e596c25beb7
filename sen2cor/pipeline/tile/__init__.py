"""A tile: decode, classify, retrieve the atmosphere, correct, write."""
