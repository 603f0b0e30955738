"""The public surface: an audit, what was found and the rules that it is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annqc.api.outputs import Outputs
from annqc.errors import AnnqcError
from annqc.run.leaveoneout import OTHERS

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping

    from annqc.judge import Judgement, Spec
    from annqc.run.audit import Run
    from annqc.tables import Dataset

    AnyPath = str | os.PathLike[str]

__all__ = ["Audit"]


class Audit(Outputs):
    """A comparison of work with gold: what was found, and the ways to hand it on.

    Made by `annqc.audit` or `annqc.load`. The tables are `pairs`, `bias`, `scores` and `errors`;
    the ways out are `judge`, `summary`, `to_html`, `to_scorecard`, `to_json`, `to_csv` and `save`.

    Parameters
    ----------
    reference, candidate : Dataset
        The gold, and the work.
    parameters : Parameters, optional
        Rules; the defaults if not given.
    engine : {"auto", "numpy", "numba"}
        How to compute; the results are the same.
    by : str or sequence of str
        Grouping of the findings in `summary`, `to_json` and `to_csv`; without the annotator where
        the annotators are anonymous.

    Examples
    --------
    >>> import annqc
    >>> made = annqc.simulate(
    ...     {"ann": [], "bob": annqc.Habit.loose("right", px=6)}, n_images=60, rng=1
    ... )
    >>> audit = annqc.audit(made.work, made.gold)
    >>> bias = audit.bias()
    >>> bias.loc[bias["verdict"] == "biased", "annotator"].unique().tolist()
    ['bob']
    """

    @property
    def gold(self) -> Dataset:
        """The reference side."""
        return self.reference

    @property
    def work(self) -> Dataset:
        """The candidate side."""
        return self.candidate

    def judge(
        self,
        spec: AnyPath | Mapping[str, Any] | Spec,
        *,
        only: Collection[str] | None = None,
        baseline: Run | AnyPath | None = None,
    ) -> Judgement:
        """Apply a spec: every rule becomes a check that passes, fails or stays undecided.

        Parameters
        ----------
        spec : path, str, mapping or Spec
            A ``*.annqc.toml`` file, its text, what the text means, or a spec that was read before.
        only : collection of str, optional
            Ids of the rules to apply; all of them if not given.
        baseline : Audit or path, optional
            The earlier run, or the folder where it was saved, that rules with ``no_worse_than``
            compare with. The one that the spec names if not given.

        Returns
        -------
        Judgement
            ``checks``, ``outcome`` and ``exit_code()``.

        Raises
        ------
        SpecError
            The spec is wrong; one error lists all faults.

        Examples
        --------
        >>> import annqc
        >>> made = annqc.simulate(["ann"], n_images=60, rng=1)
        >>> rule = {"id": "recall", "measure": "recall", "at_least": 0.8}
        >>> spec = {"annqc": {"version": 1}, "rule": [rule]}
        >>> annqc.audit(made.work, made.gold).judge(spec).outcome
        'pass'
        """
        from annqc.judge import judge, load_spec

        if OTHERS in self.reference.annotator_ids.tolist():
            what = "rules are held against gold, and there is none"
            hint = (
                "annqc.audit(work, gold).judge(spec); without gold annqc.consensus says what it can"
            )
            raise AnnqcError(what, where="judge", hint=hint)
        read_spec = load_spec(spec)
        earlier = self._earlier(baseline, read_spec)
        return judge(self, read_spec, only=only, baseline=earlier)

    def __repr__(self) -> str:
        from annqc.judge.wording import number_of

        boxes = number_of(len(self.work), "box", "boxes")
        who = number_of(len(self.work.annotator_ids), "annotator")
        of = f"against {len(self.gold):,} gold on {number_of(len(self.gold.image_table), 'image')}"
        return f"<annqc.Audit: {boxes} by {who} {of}, tolerance {self.parameters.tolerance}>"
