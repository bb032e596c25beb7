"""Execution of tiles: in this process, in several processes, or on a Dask cluster.

A `TileJob` describes a tile, a `TileRun` the result: its `TileOutcome` or its error, with steps and
memory. A `ResourcePlan` divides cores and memory. Within a tile, `Workers` are the threads, and a
`TileProgress` reports each `Step`.
"""
