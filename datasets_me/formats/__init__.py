"""What lies on disk: the records, readers and writers of every kind of folder."""
