"""The journal of a revision that a server does not apply as a whole: what of it is durable."""
