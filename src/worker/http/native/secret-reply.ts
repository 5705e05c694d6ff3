import type { Context } from "hono";
import type { SetSecretReply } from "../../../contract/secret.ts";
import type { SecretRow } from "../../secrets/get-secret.ts";
import type { Write } from "../../secrets/write-secrets.ts";
import type { HonoEnv } from "../hono-env.ts";
import { secretBody, secretEtag } from "./secret-body.ts";

/** A secret's metadata with its entity tag. */
export function secretReply(c: Context<HonoEnv>, row: SecretRow, status: 200 | 201 = 200): Response {
  c.header("ETag", secretEtag(row));
  return c.json(secretBody(row, c.get("now")), status);
}

/** What a write left, and whether it changed anything: 201 when it made the secret. */
export function writtenReply(c: Context<HonoEnv>, { row, outcome }: Write): Response {
  c.header("ETag", secretEtag(row));
  const body: SetSecretReply = { ...secretBody(row, c.get("now")), changed: outcome !== "unchanged" };
  return c.json(body, outcome === "created" ? 201 : 200);
}
