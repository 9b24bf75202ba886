"""Questions to a model about one input: what is it, and why? Done by a worker that is warm."""
