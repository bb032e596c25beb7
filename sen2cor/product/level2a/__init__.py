"""Level-2A products: the writer, the reader, and the documents.

A `Level2AWriter` writes a product in a `Workspace`; each `Level2ATile` in it gives the paths of the
images of a tile. A `TileOutcome` is the result of processing a tile, a `TileContent` the content of
its metadata, `Provenance` the origin of the product. A `Level2AReader` reads the metadata of a
finished product, a `Level2ATileReader` those of one of its tiles.
"""
