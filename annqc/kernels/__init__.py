"""kernels: all numba code, each family with a numpy path for small inputs. Arrays in, arrays out.

Ragged data crosses the border as (values, int64 offsets). Nothing is compiled before it is called, and
nothing here imports numba at module level: starting up costs 0.6 s that a small audit does not need.
"""
