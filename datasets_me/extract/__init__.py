"""One task per video, over processes: resumable, and no failure stops the others."""
