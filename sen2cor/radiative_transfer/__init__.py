"""Makes the look-up tables from 6SV and LOWTRAN7; not used at run time.

``python -m sen2cor.radiative_transfer --help`` tells how. It needs the optional extra ``luts``.
"""
