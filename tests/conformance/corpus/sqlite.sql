CREATE TABLE parent (id INTEGER PRIMARY KEY, code VARCHAR(20));
CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(50) DEFAULT 'x' NOT NULL, n INTEGER, price NUMERIC(10, 2), parent_id BIGINT CONSTRAINT fk_parent REFERENCES parent (id), email TEXT, CONSTRAINT uq_email UNIQUE (email), CONSTRAINT ck_price CHECK (price >= 0));
CREATE INDEX ix_n ON t (n);
CREATE INDEX ix_some ON t (n) WHERE price > 0;
CREATE INDEX ix_lower ON t (lower(name));
CREATE VIEW v AS SELECT id, name FROM t;
CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET n = 0 WHERE id = NEW.id; END;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT, b INTEGER);

--- add a table
CREATE TABLE other (id INTEGER);
-- expect: added table other

--- drop a table
DROP TABLE small;
-- expect: removed table small

--- rename a table
ALTER TABLE small RENAME TO little;
-- expect: removed table small
-- expect: added table little

--- add a column
ALTER TABLE t ADD COLUMN more TEXT;
-- expect: added column more of t

--- drop a column
ALTER TABLE small DROP COLUMN b;
-- expect: removed column b of small

--- rename a column
ALTER TABLE small RENAME COLUMN b TO c;
-- expect: removed column b of small
-- expect: added column c of small

--- another type
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a VARCHAR(10), b INTEGER);
-- expect: changed column a of small: type

--- NOT NULL
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT, b INTEGER NOT NULL);
-- expect: changed column b of small: nullable

--- a default
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT, b INTEGER DEFAULT 7);
-- expect: changed column b of small: default

--- a default that is an expression
-- setup: CREATE TABLE d (at TEXT DEFAULT CURRENT_TIMESTAMP)
DROP TABLE d;
CREATE TABLE d (at TEXT DEFAULT (datetime('now', '+1 day')));
-- expect: changed column at of d: default

--- AUTOINCREMENT
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT, b INTEGER);
-- expect: changed column id of small: identity numbering

--- a collation
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE, b INTEGER);
-- expect: changed column a of small: collation

--- a computed column
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT, b INTEGER GENERATED ALWAYS AS (id * 2) STORED);
-- expect: changed column b of small: computed

--- a computed column that is stored
-- setup: CREATE TABLE g (a INTEGER, b INTEGER AS (a + 1))
DROP TABLE g;
CREATE TABLE g (a INTEGER, b INTEGER AS (a + 1) STORED);
-- expect: changed column b of g: computed stored

--- no primary key
DROP TABLE small;
CREATE TABLE small (id INTEGER, a TEXT, b INTEGER);
-- expect: changed column id of small: identity
-- expect: removed primary key (id) of small

--- a primary key over two columns
DROP TABLE small;
CREATE TABLE small (id INTEGER, a TEXT, b INTEGER, PRIMARY KEY (id, b));
-- expect: changed column id of small: identity
-- expect: changed primary key (id) of small: columns

--- add a unique constraint
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, CONSTRAINT uq_b UNIQUE (b));
-- expect: added unique uq_b of small

--- a unique constraint without a name
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT UNIQUE, b INTEGER);
-- expect: added unique (a) of small

--- what to do in a conflict
-- setup: CREATE TABLE u (a INTEGER, CONSTRAINT uq_a UNIQUE (a))
DROP TABLE u;
CREATE TABLE u (a INTEGER, CONSTRAINT uq_a UNIQUE (a) ON CONFLICT IGNORE);
-- expect: changed unique uq_a of u: on conflict

--- add a check
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT, b INTEGER CONSTRAINT ck_b CHECK (b > 0));
-- expect: added check ck_b of small

--- another condition
-- setup: CREATE TABLE c (a INTEGER, CONSTRAINT ck_a CHECK (a > 0))
DROP TABLE c;
CREATE TABLE c (a INTEGER, CONSTRAINT ck_a CHECK (a >= 0));
-- expect: changed check ck_a of c: expression

--- another string in a condition
-- setup: CREATE TABLE c (a TEXT, CONSTRAINT ck_a CHECK (a <> 'b  c'))
DROP TABLE c;
CREATE TABLE c (a TEXT, CONSTRAINT ck_a CHECK (a <> 'b c'));
-- expect: changed check ck_a of c: expression

--- add a foreign key
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT, b INTEGER CONSTRAINT fk_b REFERENCES parent (id));
-- expect: added foreign key fk_b of small

--- ON DELETE CASCADE
-- setup: CREATE TABLE k (a INTEGER, CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES parent (id))
DROP TABLE k;
CREATE TABLE k (a INTEGER, CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES parent (id) ON DELETE CASCADE);
-- expect: changed foreign key fk_a of k: on delete

--- a foreign key that waits for the commit
-- setup: CREATE TABLE k (a INTEGER, CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES parent (id))
DROP TABLE k;
CREATE TABLE k (a INTEGER, CONSTRAINT fk_a FOREIGN KEY (a) REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
-- expect: changed foreign key fk_a of k: deferrable
-- expect: changed foreign key fk_a of k: initially deferred

--- add an index
CREATE INDEX ix_name ON t (name);
-- expect: added index ix_name of t

--- drop an index
DROP INDEX ix_n;
-- expect: removed index ix_n of t

--- a unique index
DROP INDEX ix_n;
CREATE UNIQUE INDEX ix_n ON t (n);
-- expect: changed index ix_n of t: unique

--- an index in another order
DROP INDEX ix_n;
CREATE INDEX ix_n ON t (n DESC);
-- expect: changed index ix_n of t: keys

--- an index with a collation
DROP INDEX ix_lower;
CREATE INDEX ix_lower ON t (name COLLATE NOCASE);
-- expect: changed index ix_lower of t: keys

--- an index over another expression
DROP INDEX ix_lower;
CREATE INDEX ix_lower ON t (upper(name));
-- expect: changed index ix_lower of t: keys

--- an index with another condition
DROP INDEX ix_some;
CREATE INDEX ix_some ON t (n) WHERE price > 1;
-- expect: changed index ix_some of t: where

--- another query of a view
DROP VIEW v;
CREATE VIEW v AS SELECT id FROM t;
-- expect: changed view v of v: query

--- another trigger
DROP TRIGGER tr;
CREATE TRIGGER tr AFTER UPDATE ON t BEGIN UPDATE t SET n = 0 WHERE id = NEW.id; END;
-- expect: changed trigger tr of t: definition

--- without rowid
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, a TEXT, b INTEGER) WITHOUT ROWID;
-- expect: changed table small: without rowid
-- expect: changed column id of small: identity
-- expect: changed column id of small: nullable

--- strict
-- setup: CREATE TABLE st (a TEXT)
DROP TABLE st;
CREATE TABLE st (a TEXT) STRICT;
-- expect: changed table st: strict

--- another order of columns
DROP TABLE small;
CREATE TABLE small (id INTEGER PRIMARY KEY, b INTEGER, a TEXT);
-- expect: changed table small: column order

--- a virtual table
CREATE VIRTUAL TABLE words USING fts5(word);
-- expect: added other words

--- nothing but spelling
DROP TABLE small;
CREATE TABLE "small" (  "id"   integer   PRIMARY KEY, -- a comment, with a comma
  a TEXT,b INTEGER);
