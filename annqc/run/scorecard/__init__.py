"""run: a delivery cut into vendors and batches, and the rules of a spec held against each piece."""
