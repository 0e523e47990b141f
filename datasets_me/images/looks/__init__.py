"""Looking at the images of a set: each look measures every image, judges, and leaves a table and findings."""
