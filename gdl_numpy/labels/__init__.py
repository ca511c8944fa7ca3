"""Labels: "generative versus discriminative modeling".

p(y|x) says which label an observation has, p(x|y) makes an observation of a label. Bayes' rule
leads from the second to the first.
"""
