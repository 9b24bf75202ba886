"""What a model does over a data set."""
