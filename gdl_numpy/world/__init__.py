"""World: the chapter's "hello, world", points on a map and the rule behind them.

Here the truth is known: p_data is uniform over the Earth's land. So a model can be held against it,
and what it makes in the sea, and what land it never makes, can be counted.
"""
