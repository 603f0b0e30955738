"""report: shares, such as recall, in hundredths; never rounded to say more than is known."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["hundredths", "share_ends", "share_text"]

ROUNDING: Final = 1e-9
"""An interval is rounded outwards, but not for what the last bit of a float adds."""


def hundredths(value: float) -> int:
    """Round a share to hundredths; only what is whole is 100, only nothing is 0.

    Examples
    --------
    >>> hundredths(0.836), hundredths(0.9999), hundredths(0.0001), hundredths(1.0)
    (84, 99, 1, 100)
    """
    return min(max(round(100 * value), 1), 99) if 0 < value < 1 else round(100 * value)


def share_ends(low: float, high: float) -> tuple[int, int]:
    """Round an interval of shares outwards, to hundredths.

    Examples
    --------
    >>> share_ends(0.807, 0.861), share_ends(0.29, 0.58)
    ((80, 87), (29, 58))
    """
    return math.floor(100 * low + ROUNDING), math.ceil(100 * high - ROUNDING)


def share_text(value: float) -> str:
    """Write a share with two decimals.

    Examples
    --------
    >>> share_text(0.9999), share_text(1.0)
    ('0.99', '1.00')
    """
    return f"{hundredths(value) / 100:.2f}"
