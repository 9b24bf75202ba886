"""Files that a browser sends: checked while they stream, kept whole or not at all."""
