"""From a set of images, and what was decided about them, to what training scripts read."""
