"""suspicions: what in the data makes one ask where it came from, and whether the gold is right.

`identity` says which boxes of two authors are the same box to the last digit, `sources` when that
is more than independent people on the same pixels make, `stamps` which sizes come again and again,
`contradicted` what several independent annotators see otherwise than the gold, and `empty` who drew
nothing where there was something. Everything takes arrays; authors, images and clusters are
integers, and the gold is an author like any other. A suspicion is a reason to look, not a verdict.
"""
