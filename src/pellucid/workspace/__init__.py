"""Runs and results on disk, with a catalogue."""
