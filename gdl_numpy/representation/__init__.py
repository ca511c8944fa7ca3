"""Representation: few numbers that stand for an observation of many."""
