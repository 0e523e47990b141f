"""Folders of frames on disk, matched with the layouts of a schema and with annotations."""
