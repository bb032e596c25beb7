"""Reports and pictures for people: HTML report, quick looks, comparison figure; STAC items.

`html_report` makes the page of a run, with `tile_page` and `charts` for each tile. `quicklook`
samples and colours images by `palette`, `stac` describes finished products.
"""
