"""consensus: objects and edges from several annotators of the same images, without gold.

`objects` clusters the boxes into objects. `twoway` estimates the edges of the objects and the
offsets of the annotators together; `uncertainty` says how sure the offsets are and `graph` what
can be said at all; `others` gives each annotator the consensus of the others. `existence` says
whether an object is there; `plain` holds the consensus of other tools. A consensus is not the
truth: what all annotators do alike cannot be seen in it.
"""
