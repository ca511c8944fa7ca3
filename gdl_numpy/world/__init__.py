"""World: the chapter's hello world, the true rule behind points on a map."""
