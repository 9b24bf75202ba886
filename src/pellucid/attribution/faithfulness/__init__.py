"""Faithfulness: how far a map tells what the model's answer really hangs on."""
