"""Scene classification: arrays and thresholds in, classes and probabilities out."""
