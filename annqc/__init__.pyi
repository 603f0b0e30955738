from typing import Final

from annqc.api import Audit as Audit
from annqc.api import audit as audit
from annqc.api import lint as lint
from annqc.api import load as load
from annqc.errors import AnnqcError as AnnqcError
from annqc.errors import AnnqcWarning as AnnqcWarning
from annqc.errors import MatchError as MatchError
from annqc.errors import ReadError as ReadError
from annqc.errors import SpecError as SpecError
from annqc.errors import TableError as TableError
from annqc.errors import UnknownNameError as UnknownNameError
from annqc.judge import Judgement as Judgement
from annqc.match import MatchPolicy as MatchPolicy
from annqc.match import match as match
from annqc.measure.tolerance import Tolerance as Tolerance
from annqc.read import formats as formats
from annqc.read import read as read
from annqc.run.agreeing import agreement as agreement
from annqc.run.alone import tracks as tracks
from annqc.run.consensus import consensus as consensus
from annqc.run.diff import diff as diff
from annqc.simulate import Habit as Habit
from annqc.simulate import simulate as simulate
from annqc.tables import Dataset as Dataset

__version__: Final[str]
