"""Probability: the chapter's core theory, from sample space to maximum likelihood."""
