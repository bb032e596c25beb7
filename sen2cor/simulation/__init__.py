"""Simulation of Level-1C scenes with known truth: surface, atmosphere, clouds, sensor, product.

The truth does not use the processor's atmospheric functions: radiative-transfer codes run at the
atmospheric states of every scene (`atmospheric_states`), and small tables store their results.
"""
