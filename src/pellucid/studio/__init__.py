"""The studio: models, data, training and reasons in one place in the browser."""
