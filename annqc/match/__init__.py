"""match: which drawing means which object.

This package can be called: ``annqc.match(reference, candidate, ...)`` is the function
``annqc.match.match``, whose arguments ``help(annqc.match.match)`` explains:

    matches = annqc.match(annqc.read("gold.json"), annqc.read("work.json"), iou=0.5)

It takes a reference and a candidate `annqc.tables.Dataset` and gives `Matches`: for the counts
one-to-one pairs at the counting threshold with what is missed and spurious named, and for the
offsets a pairing of its own at a low threshold. ``annqc.MatchPolicy`` holds the rules.

`policy` holds the rules, `images` and `categories` put both sides on one numbering, `tasks` sorts
the work, `counting`, `naming` and `offsets` do it.
"""

from annqc.match.matches import Matches
from annqc.match.pairs import match
from annqc.match.policy import MatchPolicy

__all__ = ["MatchPolicy", "Matches", "match"]
