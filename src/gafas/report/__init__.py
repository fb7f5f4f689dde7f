"""Pictures of data and results with Matplotlib; reads figures, never computes them."""
