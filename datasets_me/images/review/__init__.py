"""Looking through doubtful images in a browser, and deciding."""
