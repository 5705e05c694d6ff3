-- For how many seconds whoever has the token may be given the same again without asking for that; 0 for never.
ALTER TABLE tokens ADD COLUMN lease_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trusts ADD COLUMN lease_seconds INTEGER NOT NULL DEFAULT 0;

-- What takes the token out of force that made a trust, as JSON: then the trust gives nothing any more. NULL for the trusts of before.
ALTER TABLE trusts ADD COLUMN maker TEXT;

-- When the token was issued that minted a token, in seconds: that may have no row. NULL for the tokens of before, and for those that were exchanged.
ALTER TABLE tokens ADD COLUMN maker_issued_at INTEGER;
