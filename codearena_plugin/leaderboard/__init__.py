"""Leaderboards: runs set beside each other and beside the published numbers."""
