"""A run: from `Options` and `Settings` to the `ProductOutcome` of each product.

`product_run` processes one product, `input_path` finds the products that a path refers to,
`finished_products` those that need nothing, `table_selection` chooses the look-up tables.
`RunRecords` keeps the reports and run.json, `Console` prints.
"""
