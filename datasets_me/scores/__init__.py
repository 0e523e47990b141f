"""From predictions and a manifest to the figures that papers report."""
