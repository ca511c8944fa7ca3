"""Agents: "generative modeling and AI", plans tried inside a learned model of the world.

A ship crosses the Atlantic of the chapter's map. The sailor has the chart and does not know the
wind. He learns it from steps that he has sailed, plans inside what he has learned, and is judged in
the true world, where the cost of any plan can be computed exactly.
"""
