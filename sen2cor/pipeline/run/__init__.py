"""A run: from `Options` and `Settings` to the `ProductOutcome` of each product.

`product_run` processes one product, `input_path` finds what a given path stands for,
`table_selection` the look-up tables. `RunRecords` keeps the reports and run.json, `Console` prints.
"""
