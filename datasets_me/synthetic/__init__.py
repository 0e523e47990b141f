"""Datasets with known truth: a workbook in a dataset's raw shape, folders in its layouts, defects on request."""
