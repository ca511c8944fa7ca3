"""The book in a browser: how the pages of `make_book.py` come from the source, step by step.

    house       what there is to show: routes, modules, definitions, figures, scripts
    prose       a docstring becomes paragraphs, formulas, examples and errata
    typeset     a formula in plain Unicode becomes one with indices, exponents and hats
    code        lines become colored lines, whose names lead to their definitions
    tested      which tests exercise which definition
    markdown    the READMEs become pages
    finding     what the search finds
    fonts       the letters of the book, cut out of free fonts
    pages       each kind of page, from what the house has and a template
    pictures    the figures, half as large and as sharp
    links       a name leads to where it is defined
    binding     all pages, and the files beside them
    ahead       what a second process computes meanwhile
    proof       what must hold of the finished pages: no dead link, no figure without words
"""
