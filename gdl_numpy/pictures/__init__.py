"""Pictures: the chapter's pictures, drawn from a few numbers whose truth is known.

Two painters, biscuit tins, dogs and horses, faces: each is a rule that turns some numbers into
pixels. So there are as many images as one likes, and what a model finds in them can be compared
with the truth. Models of gray levels, pixel by pixel, stand beside them.
"""
