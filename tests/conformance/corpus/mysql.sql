CREATE TABLE parent (id bigint PRIMARY KEY, code varchar(20), grp int, CONSTRAINT uq_code UNIQUE (code));
CREATE TABLE t (
  id int NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(50) DEFAULT 'x' NOT NULL,
  n int,
  price decimal(10, 2),
  created datetime DEFAULT CURRENT_TIMESTAMP,
  parent_id bigint,
  email varchar(200),
  mood enum('sad', 'ok'),
  body text,
  twice int GENERATED ALWAYS AS (n * 2) STORED,
  CONSTRAINT fk_parent FOREIGN KEY (parent_id) REFERENCES parent (id),
  CONSTRAINT uq_email UNIQUE (email),
  CONSTRAINT ck_price CHECK (price >= 0)
);
CREATE INDEX ix_n ON t (n);
CREATE INDEX ix_body ON t (body(10));
CREATE VIEW v AS SELECT id, name FROM t;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 1;
CREATE TABLE small (a int, b int);
CREATE PROCEDURE p() SELECT 1;

--- add a table
CREATE TABLE other (id int);
-- expect: added table other

--- drop a table
DROP TABLE small;
-- expect: removed table small

--- rename a table
RENAME TABLE small TO little;
-- expect: removed table small
-- expect: added table little

--- add a column
ALTER TABLE t ADD COLUMN more text;
-- expect: added column more of t

--- drop a column
ALTER TABLE t DROP COLUMN created;
-- expect: removed column created of t

--- rename a column
ALTER TABLE t RENAME COLUMN mood TO feeling;
-- expect: removed column mood of t
-- expect: added column feeling of t

--- a rename that loses NOT NULL and the default
ALTER TABLE t CHANGE name title varchar(50);
-- setup: DROP VIEW v
-- expect: removed column name of t
-- expect: added column title of t

--- another order of columns
ALTER TABLE small MODIFY b int FIRST;
-- expect: changed table small: column order

--- a longer string
ALTER TABLE parent MODIFY code varchar(30);
-- expect: changed column code of parent: type

--- string to text
ALTER TABLE t MODIFY body mediumtext;
-- expect: changed column body of t: type

--- a wider integer
ALTER TABLE parent MODIFY grp bigint;
-- expect: changed column grp of parent: type

--- an integer without sign
ALTER TABLE parent MODIFY grp int unsigned;
-- expect: changed column grp of parent: type

--- another scale
ALTER TABLE t MODIFY price decimal(10, 3);
-- expect: changed column price of t: type

--- another precision
ALTER TABLE t MODIFY price decimal(12, 2);
-- expect: changed column price of t: type

--- digits of seconds
ALTER TABLE t MODIFY created datetime(6) DEFAULT CURRENT_TIMESTAMP(6);
-- expect: changed column created of t: type
-- expect: changed column created of t: default

--- datetime to timestamp
ALTER TABLE t MODIFY created timestamp NULL DEFAULT CURRENT_TIMESTAMP;
-- expect: changed column created of t: type

--- NOT NULL set
ALTER TABLE t MODIFY n int NOT NULL;
-- expect: changed column n of t: nullable

--- NOT NULL dropped
ALTER TABLE t MODIFY name varchar(50) DEFAULT 'x';
-- expect: changed column name of t: nullable

--- a default set
ALTER TABLE t ALTER COLUMN n SET DEFAULT 5;
-- expect: changed column n of t: default

--- a default dropped
ALTER TABLE t ALTER COLUMN name DROP DEFAULT;
-- expect: changed column name of t: default

--- a default changed
ALTER TABLE t ALTER COLUMN name SET DEFAULT 'y';
-- expect: changed column name of t: default

--- a default that is the empty string
ALTER TABLE t ALTER COLUMN name SET DEFAULT '';
-- expect: changed column name of t: default

--- a default that looks like an expression
ALTER TABLE t MODIFY name varchar(50) NOT NULL DEFAULT 'uuid()';
-- expect: changed column name of t: default

--- a default that is an expression
ALTER TABLE t MODIFY name varchar(50) NOT NULL DEFAULT (uuid());
-- expect: changed column name of t: default

--- no auto increment
ALTER TABLE t MODIFY id int NOT NULL;
-- expect: changed column id of t: identity

--- auto increment
ALTER TABLE small ADD PRIMARY KEY (a);
ALTER TABLE small MODIFY a int NOT NULL AUTO_INCREMENT;
-- expect: added primary key PRIMARY of small
-- expect: changed column a of small: nullable
-- expect: changed column a of small: identity

--- written with every update
ALTER TABLE t MODIFY created datetime DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP;
-- expect: changed column created of t: on update

--- another computed column
ALTER TABLE t MODIFY twice int GENERATED ALWAYS AS (n * 3) STORED;
-- expect: changed column twice of t: computed expression

--- a collation
ALTER TABLE parent MODIFY code varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
-- expect: changed column code of parent: collation name
-- expect: changed column code of parent: collation case sensitive
-- expect: changed column code of parent: collation accent sensitive
-- expect: changed column code of parent: collation pads
-- only: mysql

--- a collation (MariaDB)
ALTER TABLE parent MODIFY code varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
-- expect: changed column code of parent: collation name
-- expect: changed column code of parent: collation case sensitive
-- expect: changed column code of parent: collation accent sensitive
-- only: mariadb

--- a character set
ALTER TABLE t MODIFY body text CHARACTER SET latin1 COLLATE latin1_bin;
-- setup: ALTER TABLE t MODIFY body text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- expect: changed column body of t: charset
-- expect: changed column body of t: collation name

--- the default character set of a table
ALTER TABLE small DEFAULT CHARACTER SET latin1 COLLATE latin1_bin;
-- setup: ALTER TABLE small DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- expect: changed table small: charset
-- expect: changed table small: collation name

--- a comment on a column
ALTER TABLE t MODIFY n int COMMENT 'how many';
-- expect: changed column n of t: comment

--- an invisible column
ALTER TABLE small MODIFY b int INVISIBLE;
-- expect: changed column b of small: invisible

--- an enum gets a value
ALTER TABLE t MODIFY mood enum('sad', 'ok', 'happy');
-- expect: changed column mood of t: type

--- the values of an enum in another order
ALTER TABLE t MODIFY mood enum('ok', 'sad');
-- expect: changed column mood of t: type

--- a primary key
ALTER TABLE small ADD PRIMARY KEY (a);
-- expect: added primary key PRIMARY of small
-- expect: changed column a of small: nullable

--- another primary key
ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, name);
-- expect: changed primary key PRIMARY of t: columns

--- add a unique constraint
ALTER TABLE t ADD CONSTRAINT uq_n UNIQUE (n);
-- expect: added unique uq_n of t

--- drop a unique constraint
ALTER TABLE t DROP INDEX uq_email;
-- expect: removed unique uq_email of t

--- a unique constraint over other columns
ALTER TABLE t DROP INDEX uq_email, ADD CONSTRAINT uq_email UNIQUE (email, n);
-- expect: changed unique uq_email of t: columns

--- rename a unique constraint
ALTER TABLE t RENAME INDEX uq_email TO uq_mail;
-- expect: changed unique uq_email of t: name

--- add a check
ALTER TABLE t ADD CONSTRAINT ck_n CHECK (n > 0);
-- expect: added check ck_n of t

--- drop a check
ALTER TABLE t DROP CONSTRAINT ck_price;
-- expect: removed check ck_price of t

--- another condition
ALTER TABLE t DROP CONSTRAINT ck_price, ADD CONSTRAINT ck_price CHECK (price > 0);
-- expect: changed check ck_price of t: expression

--- a check with a string
ALTER TABLE t ADD CONSTRAINT ck_name CHECK (name <> 'it''s');
-- expect: added check ck_name of t

--- a check that is not enforced
ALTER TABLE t ALTER CHECK ck_price NOT ENFORCED;
-- expect: changed check ck_price of t: enforced
-- only: mysql

--- add a foreign key
ALTER TABLE small ADD COLUMN c bigint, ADD CONSTRAINT fk_c FOREIGN KEY (c) REFERENCES parent (id);
-- expect: added column c of small
-- expect: added foreign key fk_c of small
-- expect: added index fk_c of small

--- drop a foreign key
ALTER TABLE t DROP FOREIGN KEY fk_parent;
-- expect: removed foreign key fk_parent of t

--- ON DELETE CASCADE
ALTER TABLE t DROP FOREIGN KEY fk_parent;
ALTER TABLE t ADD CONSTRAINT fk_parent FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE;
-- expect: changed foreign key fk_parent of t: on delete

--- ON UPDATE SET NULL
ALTER TABLE t DROP FOREIGN KEY fk_parent;
ALTER TABLE t ADD CONSTRAINT fk_parent FOREIGN KEY (parent_id) REFERENCES parent (id) ON UPDATE SET NULL;
-- expect: changed foreign key fk_parent of t: on update

--- a foreign key to another column
ALTER TABLE parent ADD CONSTRAINT uq_grp UNIQUE (grp);
ALTER TABLE small ADD CONSTRAINT fk_b FOREIGN KEY (b) REFERENCES parent (grp);
-- expect: added unique uq_grp of parent
-- expect: added foreign key fk_b of small
-- expect: added index fk_b of small

--- add an index
CREATE INDEX ix_name ON t (name);
-- expect: added index ix_name of t

--- drop an index
DROP INDEX ix_n ON t;
-- expect: removed index ix_n of t

--- rename an index
ALTER TABLE t RENAME INDEX ix_n TO ix_number;
-- expect: changed index ix_n of t: name

--- an index over other columns
ALTER TABLE t DROP INDEX ix_n, ADD INDEX ix_n (n, price);
-- expect: changed index ix_n of t: keys

--- a longer prefix
ALTER TABLE t DROP INDEX ix_body, ADD INDEX ix_body (body(20));
-- expect: changed index ix_body of t: keys

--- a unique index over a prefix
ALTER TABLE t DROP INDEX ix_body, ADD UNIQUE INDEX ix_body (body(10));
-- expect: changed index ix_body of t: unique

--- a full-text index
ALTER TABLE t ADD FULLTEXT INDEX ft_body (body);
-- expect: added index ft_body of t

--- an index in another order
ALTER TABLE t DROP INDEX ix_n, ADD INDEX ix_n (n DESC);
-- expect: changed index ix_n of t: keys

--- an index over an expression
ALTER TABLE t ADD INDEX ix_lower ((lower(name)));
-- expect: added index ix_lower of t
-- only: mysql

--- an invisible index
ALTER TABLE t ALTER INDEX ix_n INVISIBLE;
-- expect: changed index ix_n of t: visible
-- only: mysql

--- an ignored index
ALTER TABLE t ALTER INDEX ix_n IGNORED;
-- expect: changed index ix_n of t: visible
-- only: mariadb

--- a comment on an index
ALTER TABLE t DROP INDEX ix_n, ADD INDEX ix_n (n) COMMENT 'fast';
-- expect: changed index ix_n of t: comment

--- another query of a view
CREATE OR REPLACE VIEW v AS SELECT id, name FROM t WHERE n > 0;
-- expect: changed view v of v: query

--- a view is dropped
DROP VIEW v;
-- expect: removed view v of v

--- another trigger
DROP TRIGGER tr;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 2;
-- expect: changed trigger tr of t: definition

--- another engine
ALTER TABLE small ENGINE = MyISAM;
-- expect: changed table small: engine

--- another row format
ALTER TABLE small ROW_FORMAT = COMPRESSED;
-- expect: changed table small: row format

--- a comment on a table
ALTER TABLE t COMMENT 'things';
-- expect: changed table t: comment

--- partitions
ALTER TABLE small PARTITION BY HASH (a) PARTITIONS 2;
-- expect: changed table small: partitioning

--- one more partition
-- setup: CREATE TABLE parts (a int) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10))
ALTER TABLE parts ADD PARTITION (PARTITION p1 VALUES LESS THAN (20));
-- expect: changed table parts: partitioning

--- another procedure
DROP PROCEDURE p;
CREATE PROCEDURE p() SELECT 2;
-- expect: changed other p: definition

--- an event
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1;
-- expect: added other e

--- a sequence
CREATE SEQUENCE s;
-- expect: added sequence s
-- only: mariadb

--- a sequence that cycles
-- setup: CREATE SEQUENCE s
ALTER SEQUENCE s CYCLE;
-- expect: changed sequence s: cycle
-- only: mariadb

--- system versioning
ALTER TABLE small ADD SYSTEM VERSIONING;
-- expect: changed table small: system versioning
-- only: mariadb

--- nothing but spelling
ALTER TABLE t DROP CONSTRAINT ck_price, ADD CONSTRAINT ck_price CHECK ((((`price`)) >= (0)));
ALTER TABLE t MODIFY created DATETIME DEFAULT now();
