"""Writes simulated Level-1C products: description, images, masks, metadata documents, manifest."""
