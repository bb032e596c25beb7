"""Level-2A products: lay out, fill, finish and read them."""
