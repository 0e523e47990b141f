"""What somebody else's recogniser says of the labels of a set of images."""
