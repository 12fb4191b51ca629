"""Makes the demo's invented catalogue and reviews out of the hand-written material beside it."""
