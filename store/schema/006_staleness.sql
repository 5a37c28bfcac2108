-- How far behind reads were, by table: what read-after-write and stale reads come to.

CREATE TABLE staleness (
  run        INTEGER NOT NULL REFERENCES runs(id),
  table_name TEXT NOT NULL,               -- schema.table; of the tables beyond the cap: their bin's text
  cause      TEXT NOT NULL,               -- read_after_write: from the write's OK; stale_read: from the source's answer
  events     INTEGER NOT NULL,
  age        TEXT NOT NULL,               -- histogram, base/histogram.h: from the write's OK to the read
  stale      TEXT NOT NULL,               -- until the last stale answer
  agreed     TEXT NOT NULL,               -- until the first agreeing one; fewer where none was seen
  PRIMARY KEY (run, table_name, cause)
) STRICT, WITHOUT ROWID;
