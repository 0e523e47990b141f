"""Folders against annotations: what fits, what does not, and what to do about it."""
