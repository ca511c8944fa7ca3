"""Panels: the register of all that the pages can be asked.

A panel is a module here with QUESTIONS, functions by their names; a file of static/ of the same
name, which asks them and draws what they answer; and a section of static/index.html.
"""

from explorer import bayes, box, families, noise, sail, tin, world

PANELS = {"world": world, "box": box, "noise": noise, "families": families, "tin": tin,
          "bayes": bayes, "sail": sail}
