"""A manifest as a card: what a person and a machine should know before they use the dataset."""
