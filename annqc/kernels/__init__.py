"""kernels: all numba code, each family with a numpy path for small inputs. Arrays in, arrays out.

Ragged data crosses the border as (values, int64 offsets). Nothing is compiled before it is called,
and nothing imports numba at module level: a small audit need not pay for starting it.
"""
