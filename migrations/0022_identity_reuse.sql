-- How often an identity token is exchanged under a trust, and where the issuer's keys are, if not where its configuration
-- says: their address, or they themselves as a JWK Set.
ALTER TABLE trusts ADD COLUMN reuse TEXT NOT NULL DEFAULT 'until-expiry';
ALTER TABLE trusts ADD COLUMN jwks_url TEXT;
ALTER TABLE trusts ADD COLUMN jwks TEXT;

-- Identity tokens that have been exchanged, until they have expired. `digest` is a hash of what is signed of one, `token_id`
-- what it was last exchanged for, `used_at` when it first was, and `network` where from. No seal: whoever can change a row
-- here can as well take it away, and gains the same.
CREATE TABLE used_identities (
  org TEXT NOT NULL,
  trust TEXT NOT NULL,
  digest TEXT NOT NULL,
  token_id TEXT NOT NULL,
  used_at INTEGER NOT NULL,
  network TEXT,
  forget_at INTEGER NOT NULL,
  PRIMARY KEY (org, trust, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX used_identities_by_end ON used_identities (forget_at);

ALTER TABLE guard ADD COLUMN identity_unchanged INTEGER CONSTRAINT identity_unchanged CHECK (identity_unchanged = 1);

-- Why identity tokens were refused under a trust, and how often: one row for each reason and what it is about, which the
-- trust itself bounds.
CREATE TABLE trust_refusals (
  org TEXT NOT NULL,
  trust TEXT NOT NULL,
  reason TEXT NOT NULL,
  about TEXT NOT NULL,
  count INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (org, trust, reason, about)
) STRICT, WITHOUT ROWID;
