"""Numerical kernels that have never heard of a game."""
