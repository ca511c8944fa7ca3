"""Labels: generative versus discriminative modeling."""
