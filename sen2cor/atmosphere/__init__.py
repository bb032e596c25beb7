"""The physics of the atmosphere: arrays in, arrays out; no files but the look-up tables."""
