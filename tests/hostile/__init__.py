"""Damaged and hostile inputs, made from seeds, against every verb: see ``python -m tests.hostile --help``."""
