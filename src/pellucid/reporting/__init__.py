"""One HTML file that holds everything."""
