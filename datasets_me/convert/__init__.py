"""From an annotation workbook to the rows of a manifest."""
