"""A run, an evaluation, a cross-validation or a bundle as one HTML page that needs nothing else."""
