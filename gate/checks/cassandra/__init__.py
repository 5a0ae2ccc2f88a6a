"""Cassandra and Scylla by their native protocol: a node that has joined takes clients."""
