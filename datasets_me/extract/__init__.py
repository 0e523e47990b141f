"""Features of all videos of a manifest: each by itself, so that a run can go on and no failure stops the others."""
