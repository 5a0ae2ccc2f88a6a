"""What apps write, form by form, and what it is for gate."""

from __future__ import annotations

import pytest

from gate import checks, config
from gate.config.app_url import NoDependency, translate

HTTP = "status=2xx,3xx,4xx"


def meant(variable: str, value: str, port: str = "") -> str:
    """Return what gate makes of it; the check of that must have nothing against it."""
    try:
        line = translate(variable, value, port)
    except NoDependency as exc:
        return f"! {exc}"
    read = config.read({"GATE_DEPENDENCIES": f"x {line}"})
    for wanted in read.dependencies:
        checks.load(wanted.target)
    assert read.all_problems() == ()
    return line


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (
            "postgres://u:p@db:5432/app?sslmode=require",
            "postgresql://u:p@db:5432/app?sslmode=require",
        ),
        ("postgresql+asyncpg://u:p%40@db/app", "postgresql://u:p%40@db/app"),
        ("postgis://a,b:5433/app", "postgresql://a,b:5433/app"),
        ("postgresql:///app?host=/run/pg", "postgresql:///app?host=/run/pg"),
        ("mysql2://u:p@db/app", "mysql://u:p@db/app"),
        ("mariadb+mariadbconnector://db", "mysql://db"),
        ("redis://:p@r:6379/0", "redis://:p@r:6379/0"),
        ("rediss://r", "rediss://r"),
        ("redis+socket:///run/r.sock", "redis+socket:///run/r.sock"),
        ("unix://u:p@/run/r.sock?db=0", "unix:///run/r.sock"),
        ("sentinel://a:1;sentinel://b:2", "redis://a:1,redis://b:2"),
        ("pyamqp://u:p@a/v,pyamqp://u:p@b/v", "amqp://u:p@a/v,amqp://u:p@b/v"),
        ("mongodb+srv://u:p@c.example.com/x", "mongodb+srv://u:p@c.example.com/x"),
        ("kafka+ssl://a:1,kafka+ssl://b:2", "kafka+ssl://a:1,kafka+ssl://b:2"),
        ("nats+tls://n", "nats://n"),
        ("mqtts://m", "mqtts://m"),
        ("http://users:8080/api?x=y", f"http://users:8080/api?x=y {HTTP}"),
        ("HTTPS://users/a b;c\u3000", f"https://users/a%20b%3Bc {HTTP}"),
        (" 'redis://r'\n", "redis://r"),
        ("mssql+pyodbc://u:p@db/x?driver=y", "mssql://db:1433"),
        ("mssql://u:p@a,b:2/x", "mssql://a:1433,b:2"),
        ("sqlserver://u:p@db:1444?database=x", "mssql://db:1444"),
        ("oracle+oracledb://u:p@db/?service_name=x&y=z", "oracle://db?service_name=x"),
        ("oracle://u:p@db/x", "oracle://db"),
        ("zk://a:1,b/x", "zookeeper://a:1,b"),
        ("scylla://u:p@a,b/x", "cassandra://a,b"),
        ("smtp://u:p@mail:587", "smtp://mail:587"),
        ("ldaps://u:p@dir/dc=x", "ldaps://dir"),
        ("dns:///users:50051", "tcp://users:50051"),
        ("grpc://users:50051", "tcp://users:50051"),
        ("tls://users:443", "tcp://users:443"),
        ("tcp://[::1]:80", "tcp://[::1]:80"),
        ("other://u:p@a:1/x", "tcp://a:1"),
    ],
)
def test_a_url_is_taken_as_it_is_but_for_its_scheme(value: str, url: str) -> None:
    assert meant("X", value) == url


@pytest.mark.parametrize(
    ("variable", "value", "url"),
    [
        ("REDIS_URL", "tcp://r:6379", "redis://r:6379"),
        ("REDIS_URL", "tls://r:6379", "rediss://r:6379"),
        ("NATS_URL", "tls://n:4222", "nats://n:4222 tls"),
        ("MQTT_URL", "ssl://m:8883", "mqtts://m:8883"),
        ("POSTGRES_URL", "tls://db:5432", "tcp://db:5432"),
        ("KAFKA_BROKERS", "PLAINTEXT://a:1, PLAINTEXT://b:2", "kafka://a:1,b:2"),
        ("KAFKA_BROKERS", "SASL_SSL://a:1,SASL_SSL://b:2", "kafka+ssl://a:1,b:2"),
        ("KAFKA_BROKERS", "a:9092, b:9092,", "kafka://a:9092,b:9092"),
        ("BOOTSTRAP_SERVERS", "a", "kafka://a"),
        ("KAFKA_BROKERS", "u:p@a/x", "kafka://a"),
        ("REDIS_ADDR", "r:6379", "redis://r:6379"),
        ("REDIS_ADDR", "r:6379/2", "redis://r:6379/2"),
        ("RABBITMQ_HOST", "guest:g/t@rabbit", "amqp://guest:g%2Ft@rabbit"),
        ("NATS_SERVERS", "a,[::1]:2", "nats://a,[::1]:2"),
        ("MONGO_HOST", "2001:db8::1", "mongodb://[2001:db8::1]"),
        ("ZK_HOSTS", "a:1,b/kafka", "zookeeper://a:1,b"),
        ("MSSQL_HOST", "db", "mssql://db"),
        ("ORACLE_URL", "tcp://db:1", "oracle://db:1"),
        ("ORACLE_URL", "tls://db:1", "tcp://db:1"),
        ("CART_ADDR", "cart:7070", "tcp://cart:7070"),
        ("CART_ADDR", "u:p@cart:7070/x", "tcp://cart:7070"),
    ],
)
def test_without_a_scheme_the_name_of_the_variable_chooses_it(
    variable: str, value: str, url: str
) -> None:
    assert meant(variable, value) == url


@pytest.mark.parametrize(
    ("variable", "value", "port", "url"),
    [
        ("REDIS_HOST", "r", "6380", "redis://r:6380"),
        ("REDIS_HOST", "r", "tcp://10.0.0.1:6380", "redis://r:6380"),
        ("REDIS_HOST", "r:1", "6380", "redis://r:1"),
        ("REDIS_HOST", "redis://r/0", "6380", "redis://r:6380/0"),
        ("REDIS_HOST", "redis://r:1/0", "6380", "redis://r:1/0"),
        ("REDIS_HOST", "::1", "6380", "redis://[::1]:6380"),
        ("REDIS_HOST", "r", "", "redis://r"),
        ("DB_HOST", "db", " 5432 ", "tcp://db:5432"),
        ("DB_HOST", "dns:///db", "1", "tcp://db:1"),
    ],
)
def test_the_port_comes_from_the_variable_beside_it(
    variable: str, value: str, port: str, url: str
) -> None:
    assert meant(variable, value, port) == url


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (
            "postgresql://a:1,b/app?user=u&password=p@/w&ssl=true&x=y",
            "postgresql://u:p%40%2Fw@a:1,b/app?ssl=true",
        ),
        ("aws-wrapper:postgresql://db/app", "postgresql://db/app"),
        ("mysql:replication://a:1,b:2/app?useSSL=false", "mysql://a:1,b:2/app?ssl=false"),
        ("mariadb://u:p@db/", "mysql://u:p@db"),
        ("sqlserver://db;databaseName=x;user=sa;password=p", "mssql://db:1433"),
        (r"sqlserver://db\inst:1444;databaseName=x", "mssql://db:1444"),
        (r"sqlserver://db\inst;portNumber=7", "mssql://db:7"),
        ("sqlserver://;serverName=db;port=7", "mssql://db:7"),
        ("oracle:thin:@//db:1521/svc", "oracle://db:1521/svc"),
        ("oracle:thin:@db:1522:SID", "oracle://db:1522?sid=SID"),
        ("oracle:thin:@tcps://db:1522/svc", "tcp://db:1522"),
        ("oracle:thin:scott/ti@ger@//db/svc", "oracle://db:1521/svc"),
        ("oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=db)(PORT=1))(X=y))", "tcp://db:1"),
        ("clickhouse://ch:8123/x", "tcp://ch:8123"),
        ("db2://d/x:user=y;", "tcp://d:50000"),
        ("redis://r:1/0", "redis://r:1/0"),
        ("h2:tcp://db:9092/~/x", "tcp://db:9092"),
    ],
)
def test_what_java_writes(value: str, url: str) -> None:
    assert meant("X", f"jdbc:{value}") == url


def test_what_java_writes_where_it_does_not_block() -> None:
    assert meant("X", "r2dbc:pool:postgresql://u:p@db/app") == "postgresql://u:p@db/app"


@pytest.mark.parametrize(
    ("variable", "value", "url"),
    [
        ("X", "Server=db,1444;Database=d;User Id=u;Password=p;p", "mssql://db:1444"),
        ("X", "Server=tcp:db.x.net;Initial Catalog=d", "mssql://db.x.net:1433"),
        ("X", r"Encrypt;Data Source=db\inst,7", "mssql://db:7"),
        ("X", "Data Source=db:1521/svc;User Id=x", "oracle://db:1521/svc"),
        ("X", "Data Source=db:1521;User Id=x", "tcp://db:1521"),
        ("X", "Server=db;Encrypt=true", "mssql://db:1433"),
        ("ZOOKEEPER", "Host=a", "zookeeper://a"),
        ("MYSQL", "Server=db;Database=d;Uid=u;Pwd='p;w'", "mysql://u:p%3Bw@db/d"),
        ("X", 'Server=db;Port=3306;Uid=u;Pwd="p"";w"', "mysql://u:p%22%3Bw@db:3306"),
        ("X", "Server=db;Port=77;Uid=u;Pwd={p;w}", "mysql://u:p%3Bw@db:77"),
        ("X", "Server=db;Port=5432", "postgresql://db:5432"),
        (
            "X",
            "Host=db;Port=1;Username=u;SSL Mode=VerifyFull",
            "postgresql://u@db:1?sslmode=verify-full",
        ),
        ("MYSQL", "Host=db;SslMode=None", "mysql://db?ssl-mode=disabled"),
        ("RABBIT", "host=r;port=1;username=u;password=p", "amqp://u:p@r:1"),
        (
            "X",
            r"host=db port=1 dbname=d user=u password='p \' w'",
            "postgresql://u:p%20%27%20w@db:1/d",
        ),
        ("X", r"host=db password=p\ w user=u", "postgresql://u:p%20w@db"),
        ("X", "host = a,b port = 1,2", "postgresql://a:1,b:2"),
        ("X", "host=/run/pg dbname=d", "postgresql:///d?host=%2Frun%2Fpg"),
        ("X", "host=db", "postgresql://db"),
        ("X", "mysql:host=db;port=1;dbname=d", "mysql://db:1/d"),
        ("X", "sqlsrv:Server=db,1444;Database=x", "mssql://db:1444"),
        ("X", "u:p@w/x@tcp(db:1)/app?parseTime=true", "mysql://u:p%40w%2Fx@db:1/app"),
        ("X", "u@unix(/run/my.sock)/app", "mysql://u@/app?unix_socket=%2Frun%2Fmy.sock"),
        ("X", "tcp()/", "mysql://127.0.0.1:3306"),
        ("REDIS", "r:6379,password=a=b,ssl=True,abortConnect=false", "rediss://:a%3Db@r:6379"),
        ("REDIS", "a:1,b:2,user=u,password=p", "redis://u:p@a:1,b:2"),
    ],
)
def test_connection_strings(variable: str, value: str, url: str) -> None:
    assert meant(variable, value) == url


INNER = "is a database within the app, nothing to wait for; leave it out"
SEVERAL = "names several servers; write each into GATE_DEPENDENCIES, with any=GROUP"


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("X", "", "is empty; set it or leave it out"),
        ("X", "''", "is empty"),
        ("X", "redis://r\nx", "holds a line break"),
        ("REDIS_PASSWORD", "hunter2", "has the name of a secret"),
        ("X", "sqlite:///x.db", INNER),
        ("X", "jdbc:h2:mem:x", INNER),
        ("X", "jdbc:sqlite:x.db", INNER),
        ("X", "Data Source=app.db", INNER),
        ("X", "jdbc:postgresql:x", "names no host; write jdbc:DRIVER://host:port/…"),
        ("X", "jdbc:postgresql://", "names no host that gate"),
        ("X", "jdbc:oracle:thin:@alias", "names no host (an alias of tnsnames.ora?)"),
        ("X", "jdbc:oracle:thin:x", "names no host (an alias of tnsnames.ora?)"),
        ("X", r"jdbc:sqlserver://db\inst;x", "names an instance of SQL Server"),
        ("X", "jdbc:sqlserver://;x=y", "names no host; write"),
        ("X", "Server=db;Database=d", "may be SQL Server's or MySQL's"),
        ("X", "http://a:1,http://b:1", SEVERAL),
        ("X", "a:1,b:2", SEVERAL),
        ("MEMCACHED_SERVERS", "a,b", SEVERAL),
        ("DB_HOST", "db", "names no host and port; write host:port"),
        ("X", "s3://bucket", "names no host and port"),
        ("X", "redis://", "names no host; write"),
        ("X", "jdbc:mysql://u:1/hunter2@r", "has a / ? # or ; before an @"),
        ("X", "jdbc:mysql://u:1?hunter2@r", "has a / ? # or ; before an @"),
        ("X", "jdbc:sqlserver://u:1;hunter2@r", "has a / ? # or ; before an @"),
        ("X", "unix://u:/hunter2@/run/x", "has a / ? # or ; before an @"),
        ("X", "mssql://u:1/hunter2@r", "has a / ? # or ; before an @"),
        ("REDIS", "r:1,password=hun,ter2", "has a comma in a value"),
        ("X", "redis://u:hun/ter2@r", "the URL has a / or ? before an @"),
        ("X", "user:hunter2", "its port is not a number"),
        ("X", "Server=(localdb);Encrypt=no", "names no host that gate"),
        ("X", "Database=d;Password=hunter2", "names no host in a form that gate reads"),
        ("X", "Server=db;Password='hunter2", "has a quote that is not closed"),
        ("X", "host=db password='hunter2", "has a quote that is not closed"),
    ],
)
def test_what_names_no_server_says_so_and_what_to_do(variable: str, value: str, why: str) -> None:
    told = meant(variable, value)

    assert told.startswith("! " + why)
    assert "hun" not in told


@pytest.mark.parametrize("port", ["x", "0", "70000", "9" * 5000])
def test_a_port_that_is_none_is_told(port: str) -> None:
    assert meant("REDIS_HOST", "r", port).startswith("! is not a port")
