"""World: the chapter's "hello, world", points on a map and the rule behind them.

Here the truth is known: p_data is uniform over the Earth's land. So a model can be held against it:
one can count how much of it lies in the sea, and how much land it leaves out.
"""
