-- Which services a grant covers, as a JSON array of patterns; NULL for no limit, which is what the tokens and trusts of before have.
ALTER TABLE tokens ADD COLUMN services TEXT;
ALTER TABLE trusts ADD COLUMN services TEXT;
