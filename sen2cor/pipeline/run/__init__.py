"""A run: options, input, look-up tables, products one after another, records."""
