"""What Oschat costs, measured over real sockets and real windows: `python3 dev.py bench [NAME …] [--short]`."""
