"""Look-up tables of scattering and gas absorption."""
