"""Datasets for torch, the only part of the package that imports it."""
