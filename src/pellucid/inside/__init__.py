"""What is inside a model: structure, weights, activations, gradients, features, sensitivity."""
