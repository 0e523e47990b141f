"""The web application that shows every video, every doubt about it, and takes decisions."""
