"""`grpc.health.v1.Health/Check` says SERVING."""
