"""Level-2A products: the writer, the reader, and the documents.

A `Level2AWriter` writes a product in a `Workspace`; each `Level2ATile` in it describes where the
images of a tile are. A `TileOutcome` is what processing a tile returned, a `TileContent` what the
metadata tell of it, `Provenance` how the product was made. A `Level2AReader` holds what a finished
product says, its `Level2ATileReader` what one tile of it says.
"""
