"""Models: the six families of the chapter's taxonomy (Figure 1-10), one file each.

The outputs of a network may be any numbers, but a density must be positive and integrate to 1. Each
family solves this in its own way. The first two know p(x) exactly, the last one not at all:

    autoregressive             one coordinate after the other, each from a histogram
    normalizing_flow           an invertible map, whose stretching of volumes is counted
    variational_autoencoder    a hidden z behind x, and a bound instead of an integral over z
    energy_based               any positive function, divided by its integral Z
    diffusion                  noise taken away in many small steps, and a bound over all of them
    adversarial                samples alone, judged by a second network

Every module here is a leaf of the tree: `XFamily` turns a vector θ into an `X`, and what X can do,
log_prob, elbo, energy or none of them, says on which branch it hangs (taxonomy.py). In θ the
parameters of what makes x come first, those of a helper, an encoder or a discriminator, last.
"""
