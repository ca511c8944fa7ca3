"""Networks: what trained models are made of.

Where no formula gives θ̂, a function with many parameters is fitted by small steps. A network is
such a function. Fourier features go before it, and a monotone spline takes its outputs as its
parameters. `linear_start` is where some trainings begin, `training` takes the steps, `trained` is
what all families fitted so have in common, and `storage` keeps the θ that comes of it.
"""
