"""The referee of every backend: metrics, intervals, groups. Pure, NumPy only."""
