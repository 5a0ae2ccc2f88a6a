"""Object storage that speaks S3: a bucket, or an object in it, is there."""
