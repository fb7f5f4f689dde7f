"""Labelled pictures: where they are, what they are called, how they are dealt out."""
