"""Why the model decides as it does."""
