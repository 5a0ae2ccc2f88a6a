"""`gate inject`: writes manifests with gate in place, and says what it did and why."""
