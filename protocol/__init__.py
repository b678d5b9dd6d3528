"""The wire contract between an Oschat client and its server: types, errors, limits and codec.

No I/O, and nothing of ours is imported.
"""
