"""Networks: what trained models are made of."""
