-- For how many seconds whoever has the token may be given the same again without asking for that; 0 for never.
ALTER TABLE tokens ADD COLUMN lease_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trusts ADD COLUMN lease_seconds INTEGER NOT NULL DEFAULT 0;
