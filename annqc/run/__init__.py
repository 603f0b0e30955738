"""run: the audit as a whole, from two datasets to tables of findings, scores and errors."""
