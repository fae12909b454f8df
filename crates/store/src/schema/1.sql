-- Bytes by what they are: a document is found by its hash, and its hash says whether it is whole.
CREATE TABLE blob (
    sha256 TEXT PRIMARY KEY,            -- 64 hex digits
    bytes  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: the plan, and what comparing the runs came to (JSON, as the model writes it).
CREATE TABLE study (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    plan       TEXT NOT NULL REFERENCES blob (sha256),
    comparison TEXT NOT NULL REFERENCES blob (sha256)
) STRICT;

-- The files that were read.
CREATE TABLE artifact (
    sha256 TEXT NOT NULL,
    path   TEXT NOT NULL,
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (sha256, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id      INTEGER PRIMARY KEY,        -- from 0, in the study's order
    build   INTEGER NOT NULL,           -- index into the plan's builds
    name    TEXT NOT NULL,
    began   INTEGER,                    -- nanoseconds since 1970, UTC, as all times here
    path    TEXT NOT NULL,              -- with sha256: its artifact
    sha256  TEXT NOT NULL,
    capture TEXT NOT NULL REFERENCES blob (sha256)
) STRICT;

CREATE TABLE flow (
    run               INTEGER NOT NULL REFERENCES run (id),
    seq               INTEGER NOT NULL, -- from 0, within the run
    capture           TEXT,             -- absent where it is the run's path
    transport         TEXT NOT NULL,
    src               TEXT NOT NULL,
    src_port          INTEGER NOT NULL,
    dst               TEXT NOT NULL,
    dst_port          INTEGER NOT NULL,
    began_by          TEXT NOT NULL,
    ours              TEXT NOT NULL,
    state             TEXT NOT NULL,
    packets_out       INTEGER NOT NULL,
    packets_in        INTEGER NOT NULL,
    bytes_out         INTEGER NOT NULL,
    bytes_in          INTEGER NOT NULL,
    first             INTEGER NOT NULL,
    last              INTEGER NOT NULL,
    first_packet      INTEGER NOT NULL,
    last_packet       INTEGER NOT NULL,
    retransmissions   INTEGER NOT NULL,
    gap_bytes         INTEGER NOT NULL,
    conflicting_bytes INTEGER NOT NULL,
    rtt_ms            REAL,
    names             TEXT,             -- JSON; absent where there is none
    protocol          TEXT NOT NULL,
    measure           TEXT,             -- JSON
    visibility        TEXT NOT NULL,
    ja4               TEXT,
    ja4_normalised    TEXT,
    community_id      TEXT NOT NULL,
    tunnel            TEXT,
    country           TEXT,
    asn               INTEGER,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoint (
    run         INTEGER NOT NULL REFERENCES run (id),
    seq         INTEGER NOT NULL,
    capture     TEXT,
    address     TEXT NOT NULL,
    port        INTEGER NOT NULL,
    transport   TEXT NOT NULL,
    names       TEXT,                   -- JSON, as are domains, place, protocols and flows
    domains     TEXT,
    place       TEXT NOT NULL,
    protocols   TEXT,
    visibility  TEXT NOT NULL,
    packets_out INTEGER NOT NULL,
    packets_in  INTEGER NOT NULL,
    bytes_out   INTEGER NOT NULL,
    bytes_in    INTEGER NOT NULL,
    first       INTEGER,
    last        INTEGER,
    rtt_ms      REAL,
    flows       TEXT,                   -- seq of its flows
    packet      INTEGER NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

-- For whoever asks in SQL: the findings, and the table's cells.
CREATE VIEW finding AS
SELECT json_extract(value, '$.question') AS question,
       json_extract(value, '$.claim') AS claim,
       json_extract(value, '$.verdict') AS verdict,
       json_extract(value, '$.concern') AS concern,
       json_extract(value, '$.p') AS p,
       json_extract(value, '$.runs_needed') AS runs_needed
FROM study JOIN blob ON blob.sha256 = study.comparison,
     json_each(CAST(blob.bytes AS TEXT), '$.findings');

CREATE VIEW cell AS
SELECT json_extract(row.value, '$.level') AS level,
       json_extract(row.value, '$.key') AS key,
       json_extract(row.value, '$.country') AS country,
       cell.key AS build,
       json_extract(cell.value, '$.present') AS present,
       json_extract(cell.value, '$.runs') AS runs
FROM study JOIN blob ON blob.sha256 = study.comparison,
     json_each(CAST(blob.bytes AS TEXT), '$.keys') AS row,
     json_each(row.value, '$.cells') AS cell;
