"""One customer on one page: who they are, what they are worth, how they stand and why, and what to do."""
