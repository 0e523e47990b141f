"""Frames to features: faces, crop, landmarks, optical flow, regions. Arrays in, arrays out: no files, no manifest."""
