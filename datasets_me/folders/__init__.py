"""What lies on disk: folders of frames, matched with the layouts of a schema."""
