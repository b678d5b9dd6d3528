"""What differs between desktops, each in a small adapter."""
