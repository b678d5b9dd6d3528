"""The Oschat desktop client: window host, Python bridge, engine and local store."""
