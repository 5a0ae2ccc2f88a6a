"""An object of the cluster is as wanted, found by watch."""
