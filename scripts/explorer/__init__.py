"""Explorer: the pages that compute, which scripts/explore.py serves.

server.py answers the browser, panels.py says which panels there are, and each panel is one module
here, one file of static/ with the same name, and one section of static/index.html.
"""
