from __future__ import annotations

import pytest

from gate.config.app_url import Named, guess, kind_of, pairs


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("DATABASE_URL", "database"),
        ("SPRING_DATASOURCE_URL", "spring-datasource"),
        ("REDIS_HOST", "redis"),
        ("KAFKA_BROKERS", "kafka"),
        ("SPRING_KAFKA_BOOTSTRAP_SERVERS", "spring-kafka"),
        ("CELERY_BROKER_URL", "celery-broker"),
        ("DB_CONNECTION_STRING", "db"),
        ("APP_JDBC_URL", "app"),
        ("PGHOST", "postgres"),
        ("ConnectionStrings__Default", "default"),
        ("spring.redis.host", "spring-redis"),
        ("URL", "url"),
        ("__", "env"),
        ("A" * 70 + "_URL", "a" * 63),
    ],
)
def test_the_dependency_is_called_as_its_variable_without_what_says_the_form(
    variable: str, name: str
) -> None:
    assert Named(variable).dependency == name


@pytest.mark.parametrize(
    ("variable", "kind"),
    [
        ("POSTGRES_HOST", "postgresql"),
        ("PGHOST", "postgresql"),
        ("PG_URL", "postgresql"),
        ("MYSQL_ADDR", "mysql"),
        ("MARIADB_HOST", "mysql"),
        ("ConnectionStrings__Redis", "redis"),
        ("valkeyHost", "redis"),
        ("KAFKA_BROKERS", "kafka"),
        ("SPRING_BOOTSTRAP_SERVERS", "kafka"),
        ("RABBITMQ_HOST", "amqp"),
        ("AMQP_URL", "amqp"),
        ("NATS_URL", "nats"),
        ("MEMCACHED_SERVERS", "memcached"),
        ("MONGODB_HOST", "mongodb"),
        ("MQTT_BROKER", "mqtt"),
        ("KAFKA_STORE_MYSQL_HOST", "mysql"),
        ("DB_HOST", ""),
        ("PGP_SERVER_HOST", ""),
        ("", ""),
    ],
)
def test_the_name_means_a_kind(variable: str, kind: str) -> None:
    assert kind_of(variable) == kind


def test_a_host_and_the_port_beside_it_are_a_pair() -> None:
    names = ["REDIS_HOST", "REDIS_PORT", "DB_HOSTNAME", "DB_PORT", "dbHost", "dbPort", "PGHOST"]
    names += ["PGPORT", "LONE_HOST", "OTHER_PORT", "WP_DATABASE_HOST", "WP_DATABASE_PORT_NUMBER"]

    assert pairs(names) == (
        Named("DB_HOSTNAME", "DB_PORT"),
        Named("PGHOST", "PGPORT"),
        Named("REDIS_HOST", "REDIS_PORT"),
        Named("WP_DATABASE_HOST", "WP_DATABASE_PORT_NUMBER"),
        Named("dbHost", "dbPort"),
    )


@pytest.mark.parametrize(
    "name",
    [
        *("DATABASE_URL", "SPRING_DATASOURCE_URL", "REDIS_URL", "REDIS_ADDR", "KAFKA_BROKERS"),
        *("CART_SERVICE_ADDR", "CART_SERVICE_URL", "ConnectionStrings__Default", "MYSQL_DSN"),
        *("R2DBC_URL", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "DB_SERVERS", "ETCD_ENDPOINTS"),
        *("ZOOKEEPER_CONNECT", "CLOUDAMQP_URL", "WORDPRESS_DB_HOST", "VAULT_ADDR"),
        *("KAFKA_BOOTSTRAP_SERVERS", "MONGO_CONNECTION_STRING", "REDIS_HOST", "BROKER_URL"),
    ],
)
def test_a_name_that_says_where_something_is_names_a_dependency(name: str) -> None:
    assert guess([name]) == (Named(name),)


@pytest.mark.parametrize(
    "names",
    [
        *(["HOST", "PORT"], ["HTTP_HOST", "HTTP_PORT"], ["LISTEN_ADDR"], ["SERVER_ADDR"]),
        *(
            ["DB_SERVICE_HOST", "DB_SERVICE_PORT"],
            ["REDIS_SERVICE_HOST"],
            ["PUBLIC_URL"],
            ["API_URL"],
        ),
        *(["HOME"], ["URL"], ["ADDR"], ["REDIS_PASSWORD"], ["KAFKA_TOPIC"], ["EMAIL_ADDRESS"]),
        *(["OTEL_EXPORTER_OTLP_ENDPOINT"], ["STATSD_HOST", "STATSD_PORT"], ["SENTRY_DSN"]),
        *(
            ["__"],
            [""],
            ["MONGODB_ADVERTISED_HOSTNAME"],
            ["REDIS_SENTINEL_HOSTS"],
            ["DB_NAME"],
            ["HTTP_PROXY_HOST", "HTTP_PROXY_PORT"],
        ),
    ],
)
def test_what_the_app_listens_on_or_starts_without_is_no_dependency(names: list[str]) -> None:
    assert guess(names) == ()


def test_of_several_variables_for_one_dependency_the_url_says_the_most() -> None:
    names = ["DATABASE_HOST", "DATABASE_PORT", "DATABASE_URL", "REDIS_HOST", "REDIS_ADDR"]

    assert guess(names) == (Named("DATABASE_URL"), Named("REDIS_ADDR"))
    assert guess(names[:2]) == (Named("DATABASE_HOST", "DATABASE_PORT"),)
