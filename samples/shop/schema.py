"""The shop's tables, once as legacy has them and once as the new stack shards them."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Table:
    name: str
    shard_key: str
    columns: str

    def plain(self):
        return f"CREATE TABLE {self.name} ({self.columns}) ENGINE=InnoDB"

    def sharded(self, shards):
        """The table on the Spider head; its rows live in the same table of shard1, shard2, …"""
        partitions = ", ".join(f"PARTITION p{n} COMMENT='server \"shard{n}\"'" for n in range(1, shards + 1))
        return (f"CREATE TABLE {self.name} ({self.columns}) ENGINE=SPIDER COMMENT='wrapper \"mysql\", table \"{self.name}\"' "
                f"PARTITION BY KEY ({self.shard_key}) ({partitions})")


SCHEMA = "shop"
TABLES = (
    Table("products", "id", """
        id INT NOT NULL, name VARCHAR(80) NOT NULL, category VARCHAR(30) NOT NULL, price DECIMAL(8,2) NOT NULL,
        weight DOUBLE, added DATE NOT NULL, PRIMARY KEY (id), KEY by_category (category)"""),
    Table("customers", "id", """
        id INT NOT NULL, name VARCHAR(80) NOT NULL, email VARCHAR(120) NOT NULL, city VARCHAR(40) NOT NULL,
        points INT NOT NULL DEFAULT 0, joined DATETIME NOT NULL, PRIMARY KEY (id), KEY by_city (city)"""),
    # A sharded table's primary key must hold the sharding column.
    Table("orders", "customer_id", """
        id BIGINT NOT NULL AUTO_INCREMENT, customer_id INT NOT NULL, status VARCHAR(12) NOT NULL,
        total DECIMAL(10,2) NOT NULL, placed DATETIME(6) NOT NULL, PRIMARY KEY (id, customer_id),
        KEY by_customer (customer_id), KEY by_status (status)"""),
    Table("order_items", "customer_id", """
        order_id BIGINT NOT NULL, customer_id INT NOT NULL, line INT NOT NULL, product_id INT NOT NULL,
        quantity INT NOT NULL, price DECIMAL(8,2) NOT NULL, PRIMARY KEY (order_id, customer_id, line)"""),
    Table("reviews", "product_id", """
        id INT NOT NULL, product_id INT NOT NULL, stars TINYINT NOT NULL, author VARCHAR(80) NOT NULL, body TEXT,
        PRIMARY KEY (id, product_id), KEY by_product (product_id)"""),
    Table("page_views", "customer_id", """
        id BIGINT NOT NULL AUTO_INCREMENT, customer_id INT NOT NULL, page VARCHAR(80) NOT NULL, referrer VARCHAR(200),
        seconds DOUBLE, seen DATETIME(3) NOT NULL, PRIMARY KEY (id, customer_id)"""),
)
