"""What every room stands on: errors, files, tables, pictures, and running many items."""
