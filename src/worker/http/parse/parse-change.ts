import type { HonoRequest } from "hono";
import { Problem } from "../../../contract/problem.ts";
import type { SetSecretBody } from "../../../contract/secret.ts";
import type { Change, Value } from "../../secrets/change.ts";
import { parseRawValue, parseValue } from "./parse-value.ts";

/** What a body says of a secret beside its value. */
type Fields = Pick<SetSecretBody, "description" | "labels" | "expires_at" | "rotate_after_days">;

/** The value and fields of a PUT: `body` is a JSON one, validated; any other is the value itself. */
export async function readSetBody(request: HonoRequest, body: SetSecretBody | undefined): Promise<Fields & { value: Value }> {
  const contentType = request.header("Content-Type") ?? "";
  // RFC 9110, section 8.4: what is stored is the value, not a coded form of it.
  if (!/^(?:identity)?$/i.test(request.header("Content-Encoding") ?? "")) throw new Problem("unsupported-media-type", "A body has no Content-Encoding.");
  if (!body) return { value: parseRawValue(new Uint8Array(await request.arrayBuffer()), contentType) };
  const { value, encoding = "utf8", ...fields } = body;
  return { ...fields, value: parseValue(value, encoding) };
}

/** What the fields of a body change. */
export function changeOf({ description, labels, expires_at, rotate_after_days }: Fields): Change {
  return { description, labels, expiresAt: typeof expires_at === "string" ? Date.parse(expires_at) : expires_at, rotateAfterDays: rotate_after_days };
}
