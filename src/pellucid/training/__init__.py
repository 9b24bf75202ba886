"""Fine-tuning, with everything recorded."""
