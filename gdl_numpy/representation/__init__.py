"""Representation: "representation learning", few numbers in place of an observation of many.

An encoder finds the numbers, a decoder leads back. Principal components do it by a plane, an
autoencoder by a curved surface; how many numbers the data need can be measured.
"""
