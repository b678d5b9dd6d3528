"""The bus that carries messages to actors: base.py is the contract, local.py serves one process."""
