"""measure: how far apart, in which direction. Takes matches, gives one row a pair.

`offsets` does signed edge offsets, shift and growth with the gate and the border rule; `detection`
counts what was found, missed and invented. Sums over both are mergeable: a cluster's rows never
leave its shard.
"""
