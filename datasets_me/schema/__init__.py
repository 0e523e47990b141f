"""The models of ``schemas/*.yaml``: what a dataset, a set of images or a file of predictions looks like."""
