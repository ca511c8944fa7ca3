"""Models: the six families of the chapter's taxonomy (Figure 1-10), one file each."""
