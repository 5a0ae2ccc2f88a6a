"""AMQP 0-9-1 (RabbitMQ): a connection opens; with credentials, login and vhost work."""
