"""Level-1C scenes with a known truth: surfaces, atmosphere, sensor, product.

The truth never sees the processor's own atmospheric functions: radiative-transfer codes run at
the states of each scene (`states`), and their results are kept as small tables.
"""
