"""Execution: where tiles run (this process, several processes, a Dask cluster), and on what.

A `TileJob` goes in, a `TileRun` comes out: the `TileOutcome` of the tile or its error, with its
steps and memory. A `ResourcePlan` says how cores and memory are divided. Within a tile, `Workers`
are its threads and a `TileProgress` reports each `Step`.
"""
