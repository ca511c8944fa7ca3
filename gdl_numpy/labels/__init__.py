"""Labels: "generative versus discriminative modeling".

p(y|x) says how probable each label of a given observation is; p(x|y) is the density of observations
that have a given label, and can make new ones. Bayes' rule leads from the second to the first.
"""
