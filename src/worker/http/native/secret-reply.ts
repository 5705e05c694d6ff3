import type { Context } from "hono";
import type { SetSecretReply } from "../../../contract/secret.ts";
import type { SecretRow } from "../../secrets/get-secret.ts";
import type { Write } from "../../secrets/write-secrets.ts";
import { sourcesOf } from "../../sources/show-sources.ts";
import type { HonoEnv } from "../hono-env.ts";
import { needsOf } from "../needs-of.ts";
import { secretBody, secretEtag } from "./secret-body.ts";

/** A secret's metadata with its entity tag. */
export async function secretReply(c: Context<HonoEnv>, row: SecretRow, status: 200 | 201 = 200): Promise<Response> {
  c.header("ETag", secretEtag(row));
  return c.json(await shown(c, row), status);
}

/** What a write left, and whether it changed anything: 201 when it made the secret. */
export async function writtenReply(c: Context<HonoEnv>, { row, outcome }: Write): Promise<Response> {
  c.header("ETag", secretEtag(row));
  const body: SetSecretReply = { ...(await shown(c, row)), changed: outcome !== "unchanged" };
  return c.json(body, outcome === "created" ? 201 : 200);
}

async function shown(c: Context<HonoEnv>, row: SecretRow) {
  const sources = await sourcesOf(needsOf(c), c.get("caller"), [row]);
  return secretBody(row, c.get("now"), sources.get(row.id) ?? null);
}
