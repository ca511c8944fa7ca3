"""Models: the six families of the chapter's taxonomy (Figure 1-10), one file each.

A network may output any numbers, but a density must be positive and integrate to 1. Each
family is another answer to that. The first two know p(x) exactly, the last one knows nothing of it:

    autoregressive             one coordinate after the other, each from a histogram
    normalizing_flow           an invertible map, whose stretching of volumes is counted
    variational_autoencoder    a hidden z behind x, and a bound instead of an integral over z
    energy_based               any positive function, divided by its integral Z
    diffusion                  noise taken away in many small steps, and a bound over all of them
    adversarial                samples alone, judged by a second network

Every module here is a leaf of the tree: `XFamily` turns a vector θ into an `X`, and what X can do,
log_prob, elbo, energy or none of them, says on which branch it hangs (taxonomy.py).
"""
