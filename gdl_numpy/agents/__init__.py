"""Agents: "generative modeling and AI", who learns a model of his world tries his plans inside it.

A ship crosses the Atlantic of the chapter's map. The sailor has the chart and does not know the
wind. He learns it from steps that he has sailed, plans inside what he has learned, and is judged in
the true world, where the cost of any plan can be computed exactly.
"""
