"""Sets of still images: import, clean without touching an original, look for faces, crop."""
