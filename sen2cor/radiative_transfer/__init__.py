"""Generation of the look-up tables with 6SV and LOWTRAN7; not used at run time.

``python -m sen2cor.radiative_transfer --help`` lists the options. Requires the extra ``luts``.
"""
