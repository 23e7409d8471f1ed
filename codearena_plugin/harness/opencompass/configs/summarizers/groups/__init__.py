"""Groups of rows for summarizers of one's own."""
