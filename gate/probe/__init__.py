"""`gate probe` and `gate hold`: small clients of the gate that runs in this pod.

A probe starts a process each time, so nothing but sockets is imported here.
"""
