"""Numerics: what formulas are computed with; skip it at first reading.

Nothing here knows a density or a model. `backend` says where arrays live, `checks` what is refused
at the door, and the rest are methods that need only numbers: sums of exponentials, sums over near
pairs, steps downhill, Newton's method, a Markov chain. The other rooms call them by name, and their
formulas can be read without them.
"""
