"""Probability: the chapter's "core probability theory", from sample space to maximum likelihood.

An observation is a point of a sample space; a density says how closely observations lie around each
point; a family is one density for each vector θ; the likelihood says how well a θ accounts for
data; and the θ for which it is largest is the estimate. All of it without a network.
"""
