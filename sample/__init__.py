"""A made-up company to try Oschat with: its people, what they wrote to each other, and the demo that shows both."""
