"""Numerics: what formulas are computed with; skip it at first reading."""
