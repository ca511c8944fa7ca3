"""Labels: "generative versus discriminative modeling".

p(y|x) says how probable each label of a given observation is; p(x|y) makes observations that have a
given label. Bayes' rule leads from the second to the first.
"""
