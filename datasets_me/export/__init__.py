"""From a manifest to the files that training scripts read."""
