import type { Premises } from "./run-document.ts";

/** A document whose blocks run, with what it takes for granted. */
export interface Document extends Premises {
  /** The least number of blocks of commands and SQL that run. */
  readonly atLeast: number;
  /** Tools that its readers have, and that a machine which runs the tests may not have. */
  readonly tools: readonly string[];
}

const START = "npm start";
const INSTALL = "npm ci && npm i -g .";
const LOCAL = { "http://127.0.0.1:8787": "local" } as const;
/** What the README does to deploy. */
const DEPLOY = "(umask 077; npm run -s keys -- init > ~/keyhole.secrets)\nnpm run deploy -- --secrets-file ~/keyhole.secrets";
/** A server on this machine, the command line, and a token. */
const READY = `${START}
${INSTALL}
export KEYHOLE_URL=http://127.0.0.1:8787 KEYHOLE_TOKEN=$(npm run -s token)`;
/** What an operator's organization has to be set for. */
const OPERATED = `sed -i.shipped 's/^PLATFORM_ORG = .*/PLATFORM_ORG = "platform"/' wrangler.toml`;
/** A token of what is deployed, made with its secrets. */
const DEPLOYED_TOKEN = "TOKEN=$(set -a; . ~/keyhole.secrets; npm run -s token)";

export const DOCUMENTS: Readonly<Record<string, Document>> = {
  "README.md": {
    atLeast: 7,
    tools: ["curl"],
    addresses: LOCAL,
    before: `${READY}
echo sk-prod > key.txt
echo postgres://db > url.txt
echo '{ "url": { "secret_key_ref": { "store": "DATABASE_URL" } } }' > gateway.yaml
echo 'process.exit(process.env.DATABASE_URL === "postgres://db" ? 0 : 1);' > app.js`,
  },
  "CONTRIBUTING.md": { atLeast: 2, tools: [] },
  "SECURITY.md": {
    atLeast: 9,
    tools: ["curl"],
    addresses: { "https://keyhole.example.workers.dev": "deployed" },
    before: `${INSTALL}
${OPERATED}
${DEPLOY}
${DEPLOYED_TOKEN}
KEYHOLE=https://keyhole.example.workers.dev
export KEYHOLE_URL=$KEYHOLE KEYHOLE_TOKEN=$(set -a; . ~/keyhole.secrets; npm run -s token -- --org platform)
curl -sS -X PUT "$KEYHOLE/v1/scopes/global/secrets/A" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: text/plain' -d 1`,
  },
  "examples/gateway/README.md": { atLeast: 0, tools: [] },
  "ARCHITECTURE.md": { atLeast: 0, tools: [] },
  "docs/adopting-plaintext.md": {
    atLeast: 5,
    tools: [],
    addresses: { "https://keyhole.example.workers.dev": "deployed" },
    before: `${INSTALL}
${OPERATED}
${DEPLOY}
cat > old_secrets.sql <<'SQL'
CREATE TABLE old_secrets (org TEXT NOT NULL, scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, encoding TEXT NOT NULL DEFAULT 'utf8');
INSERT INTO old_secrets (org, scope, name, value) VALUES ('acme', 'global', 'DB_PASSWORD', 'plain'), ('acme', 'global', 'SMTP_PASSWORD', '');
SQL`,
  },
  "docs/monitoring.md": {
    atLeast: 2,
    tools: ["curl"],
    addresses: LOCAL,
    before: `${START}
${INSTALL}
export KEYHOLE_URL=http://127.0.0.1:8787 KEYHOLE_TOKEN=$(npm run -s token)`,
  },
  "docs/agents.md": {
    atLeast: 3,
    tools: [],
    addresses: LOCAL,
    before: `${READY}
printf sk-of-more-than-twelve > key.txt
printf AKIA0123456789ABCDEF > key-id.txt`,
  },
  "docs/api.md": { atLeast: 5, tools: ["curl"], addresses: LOCAL, before: START },
  "docs/backup.md": {
    atLeast: 1,
    tools: [],
    addresses: { "https://keyhole.example.workers.dev": "deployed" },
    before: `${INSTALL}
${OPERATED}
${DEPLOY}
export KEYHOLE_URL=https://keyhole.example.workers.dev KEYHOLE_TOKEN=$(set -a; . ~/keyhole.secrets; npm run -s token -- --org platform)`,
  },
  "docs/client.md": { atLeast: 0, tools: [] },
  "docs/concepts.md": { atLeast: 2, tools: [], addresses: LOCAL, before: START },
  "docs/operations.md": {
    atLeast: 8,
    tools: ["curl"],
    addresses: { "https://keyhole.example.workers.dev": "deployed" },
  },
  "docs/security.md": { atLeast: 2, tools: ["curl"], addresses: LOCAL, before: START },
  "docs/cli.md": {
    atLeast: 11,
    tools: ["jq"],
    addresses: { ...LOCAL, "https://staging.example": "local" },
    before: `${START}
npm run -s token > token
export PASSWORD=hunter2
echo sk-prod > key.txt
echo pem > key.pem
printf 'DATABASE_URL=postgres://db\\nSMTP_HOST=mail\\n' > .env
echo '' > app.js
printf '#!/bin/sh\\ntest "$DATABASE_URL" = postgres://db' > migrate
printf '#!/bin/sh\\ntest "$OPENAI_API_KEY" = sk-prod' > deploy.sh
mkdir -p ~/code/api
chmod +x migrate deploy.sh`,
  },
  "docs/login.md": { atLeast: 0, tools: [] },
  "docs/moving-from-vault.md": {
    atLeast: 3,
    tools: [],
    addresses: { ...LOCAL, "https://vault.example:8200": "vault" },
    before: READY,
  },
  "docs/ci.md": {
    atLeast: 2,
    tools: [],
    addresses: LOCAL,
    before: `${READY}
echo pem > deploy-key.pem`,
  },
  "docs/recipes.md": {
    atLeast: 10,
    tools: ["curl", "jq"],
    addresses: { "https://keyhole.example.org": "local" },
    before: `${START}
echo pem > deploy-key.pem
KEYHOLE=https://keyhole.example.org identity=$(npm run -s token)
curl -sS -X PUT "$KEYHOLE/v1/scopes/namespace%3Aprod/secrets/OPENAI_API_KEY" -H "Authorization: Bearer $identity" -H 'Content-Type: text/plain' -d sk-prod
token=$(npm run -s token -- --permissions secrets:resolve --scopes repo:acme/api)`,
  },
  "docs/seeds.md": {
    atLeast: 5,
    tools: [],
    addresses: LOCAL,
    before: `${START}
${INSTALL}
export TOKEN=$(npm run -s token)
export OPENAI_API_KEY=sk-openai DATABASE_URL=postgres://db
printf sk-typed > typed
mkdir -p ~/code/payments ~/code/api`,
  },
  "docs/vault.md": {
    atLeast: 2,
    tools: ["curl"],
    addresses: { "https://keyhole.example.org": "local" },
    before: START,
  },
};
