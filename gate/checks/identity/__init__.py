"""Identities of clouds: the pod's token of its service account is exchanged for theirs now."""
