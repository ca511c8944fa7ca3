"""Networks: what trained models are made of.

Where no formula gives θ̂, a function with many parameters is fitted by small steps. A network is
such a function; Fourier features and monotone splines are two more; training takes the steps, and
storage keeps what came of them.
"""
