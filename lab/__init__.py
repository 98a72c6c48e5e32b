"""A simulated site for the demo and the tests; it imports none of the other floors and encodes with its own code."""
