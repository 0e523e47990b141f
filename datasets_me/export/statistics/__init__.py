"""Numbers of a dataset that training scripts read: lengths, channels, the graph of action units."""
