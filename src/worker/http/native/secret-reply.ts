import type { Context } from "hono";
import type { SetSecretReply } from "../../../contract/secret.ts";
import { type KeptSource, sourceOfText } from "../../../contract/source.ts";
import type { SecretValue } from "../../secrets/change.ts";
import type { SecretRow } from "../../secrets/get-secret.ts";
import type { Write } from "../../secrets/write-secrets.ts";
import { sourcesOf } from "../../sources/show-sources.ts";
import type { HonoEnv } from "../hono-env.ts";
import { needsOf } from "../needs-of.ts";
import { secretBody, secretEtag } from "./secret-body.ts";

/**
 * A secret's metadata with its entity tag.
 *
 * @param value The value that it has been written with just now, if there is one.
 */
export async function secretReply(c: Context<HonoEnv>, row: SecretRow, status: 200 | 201 = 200, value?: SecretValue): Promise<Response> {
  c.header("ETag", secretEtag(row));
  return c.json(await shown(c, row, value), status);
}

/** What a write left, and whether it changed anything: 201 when it made the secret. */
export async function writtenReply(c: Context<HonoEnv>, { row, outcome, value }: Write): Promise<Response> {
  c.header("ETag", secretEtag(row));
  const body: SetSecretReply = { ...(await shown(c, row, value)), changed: outcome !== "unchanged" };
  return c.json(body, outcome === "created" ? 201 : 200);
}

async function shown(c: Context<HonoEnv>, row: SecretRow, value: SecretValue | undefined) {
  return secretBody(row, c.get("now"), await sourceOf(c, row, value));
}

/** What is written needs not be read again: that could fail when the write is done. */
async function sourceOf(c: Context<HonoEnv>, row: SecretRow, value: SecretValue | undefined): Promise<KeptSource | null> {
  if (value?.encoding === "source") return sourceOfText(new TextDecoder().decode(value.bytes)) ?? null;
  return (await sourcesOf(needsOf(c), c.get("caller"), [row])).get(row.id) ?? null;
}
