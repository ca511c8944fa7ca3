"""Models: the six families of the chapter's taxonomy (Figure 1-10), one file each.

Every module here is a leaf of the tree: `XFamily` turns a vector θ into an `X`, and what X can do,
log_prob, elbo, energy or none of them, says on which branch it hangs.
"""
