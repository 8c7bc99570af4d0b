"""Compiled games as flat read-only arrays, and the referee that measures solutions of them."""
