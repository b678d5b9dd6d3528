"""What dev.py is made of: set-up steps, checks and locking. Standard library only, for it runs before anything else."""
