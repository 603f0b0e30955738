"""match: which drawing means which object.

Takes a reference and a candidate `Dataset`, gives `Matches`: for the counts one-to-one pairs at the
counting threshold with what is missed and spurious named, and for the offsets a pairing of its own
at a low threshold. `policy` holds the rules, `images` and `categories` put both sides on one
numbering, `tasks` sorts the work, `counting`, `naming` and `offsets` do it.
"""

from annqc.match.matches import Matches
from annqc.match.pairs import match
from annqc.match.policy import MatchPolicy

__all__ = ["MatchPolicy", "Matches", "match"]
