"""Init containers that wait: what they wait for, so that gate can stand for them."""
