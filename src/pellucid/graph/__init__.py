"""The model traced once: cut in two, run from a layer on."""
