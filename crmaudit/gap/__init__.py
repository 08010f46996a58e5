"""The client gap report: what a client's exports answer, what is missing, what it costs, what comes first."""
