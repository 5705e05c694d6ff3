import type { HonoRequest } from "hono";
import { invalid, Problem } from "../../../contract/problem.ts";
import type { SetSecretBody } from "../../../contract/secret.ts";
import { type MetadataRequest, metadataToColumns } from "../../../contract/secret-metadata.ts";
import type { Source } from "../../../contract/source.ts";
import type { Change, SecretValue } from "../../secrets/change.ts";
import { parseRawValue, parseValue } from "./parse-value.ts";

/** The value and metadata of a PUT: `body` is a JSON one, validated; any other is the value itself. */
export async function readSetBody(
  request: HonoRequest,
  body: SetSecretBody | undefined,
): Promise<MetadataRequest & { value?: SecretValue; source?: Source | undefined }> {
  const contentType = request.header("Content-Type") ?? "";
  // RFC 9110, section 8.4: what is stored is the value, not a coded form of it.
  if (!/^(?:identity)?$/i.test(request.header("Content-Encoding") ?? "")) throw new Problem("unsupported-media-type", "A body has no Content-Encoding.");
  if (!body) return { value: parseRawValue(new Uint8Array(await request.arrayBuffer()), contentType) };
  const { value, encoding = "utf8", ...rest } = body;
  return value === undefined ? rest : { ...rest, value: parseValue(value, encoding) };
}

/**
 * What the metadata in a body changes.
 *
 * @throws {Problem} `invalid-request` when the secret would have expired by now: what is meant by that is a delete, or another year.
 */
export function changeOf(metadata: MetadataRequest, now: Date): Change {
  const columns = metadataToColumns(metadata);
  const { expires_at = null } = columns;
  if (expires_at !== null && expires_at <= now.getTime()) throw invalid("/expires_at", "the time has passed: a secret expires in the future, or never (null)");
  return { metadata: columns };
}
