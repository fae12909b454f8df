-- Whether nothing was carried to an endpoint: the app tried, and there was no contact.
ALTER TABLE endpoint ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
