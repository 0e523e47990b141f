"""Doubts about data: their codes, and reports of them."""
