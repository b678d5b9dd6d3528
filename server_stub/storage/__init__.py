"""Storage: base.py is the contract, one file for each back end."""
