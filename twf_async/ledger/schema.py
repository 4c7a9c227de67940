"""The tables of the ledger, as steps: step n brings a file from version n-1 to n.

Never change a step that was released; add one. Times are Unix seconds, UTC; lists are JSON.
"""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        model TEXT NOT NULL,
        cycle TEXT NOT NULL,
        state TEXT NOT NULL,
        first_seen_at REAL NOT NULL,
        ended_at REAL,
        PRIMARY KEY (model, cycle)
    ) WITHOUT ROWID;

    CREATE TABLE hours (
        model TEXT NOT NULL,
        cycle TEXT NOT NULL,
        hour INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        upstream_at REAL,
        first_seen_at REAL,
        fetched_at REAL,
        rendered_at REAL,
        published_at REAL,
        method TEXT NOT NULL DEFAULT '',
        source TEXT NOT NULL DEFAULT '',
        bytes INTEGER NOT NULL DEFAULT 0,
        requests INTEGER NOT NULL DEFAULT 0,
        fetch_s REAL,
        decode_s REAL,
        render_s REAL,
        peak_rss_mb REAL,
        PRIMARY KEY (model, cycle, hour)
    ) WITHOUT ROWID;

    CREATE TABLE frames (
        model TEXT NOT NULL,
        cycle TEXT NOT NULL,
        hour INTEGER NOT NULL,
        region TEXT NOT NULL,
        product TEXT NOT NULL,
        state TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        detail TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        sha256 TEXT NOT NULL DEFAULT '',
        published_at REAL,
        PRIMARY KEY (model, cycle, hour, region, product)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE arrivals (
        model TEXT NOT NULL,
        cycle TEXT NOT NULL,
        hour INTEGER NOT NULL,
        arrived_at REAL NOT NULL,
        PRIMARY KEY (model, cycle, hour)
    ) WITHOUT ROWID;

    ALTER TABLE hours ADD COLUMN inventory TEXT NOT NULL DEFAULT '';
    """,
    """
    CREATE TABLE freshness (
        model TEXT NOT NULL,
        cycle TEXT NOT NULL,
        hour INTEGER NOT NULL,
        upstream_at REAL NOT NULL,
        visible_at REAL NOT NULL,
        seen_at REAL NOT NULL,
        fetched_at REAL NOT NULL,
        rendered_at REAL NOT NULL,
        published_at REAL NOT NULL,
        PRIMARY KEY (model, cycle, hour)
    ) WITHOUT ROWID;

    CREATE INDEX freshness_by_time ON freshness (published_at);
    """,
    """
    CREATE TABLE asked (
        model TEXT NOT NULL,
        cycle TEXT NOT NULL,
        hours TEXT,
        regions TEXT,
        products TEXT,
        wait INTEGER NOT NULL,
        asked_at REAL NOT NULL,
        PRIMARY KEY (model, cycle)
    ) WITHOUT ROWID;
    """,
)
