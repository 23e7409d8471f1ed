"""The report as one HTML page: tables and plots of a leaderboard, and a browser for its verdicts."""
