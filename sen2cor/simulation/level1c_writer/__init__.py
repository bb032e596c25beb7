"""Writer of simulated Level-1C products: description, images, masks, metadata, manifest."""
