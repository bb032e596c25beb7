"""Level-1C products: open, check and read them."""
