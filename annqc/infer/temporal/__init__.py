"""temporal: what the frames of a video say of an annotator, with the track as the unit of evidence.

Everything takes ragged series: ``values`` (n,) or (n, k), ``frame`` (n,) increasing inside a
series, and ``starts`` (s + 1,) offsets. A series is one track drawn by one annotator; ``values``
are offsets (annotation minus gold) or coordinates, in pixels or tolerance units, NaN where they are
not usable. Frames may have gaps.

`drift`, `sawtooth`, `jitter`, `steps`, `spikes`, `lag`, `sag` and `ends` compare with gold;
`frozen`, `keyframes`, `leaps` and `relative` need none, and say less.
Neighbouring frames are near copies of each other, so that frames are never counted as evidence on
an annotator: tracks are, and of a drawing that was held for many frames there is one.
"""
