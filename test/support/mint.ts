import { type CallOptions, call, type Reply } from "./call.ts";

/** Asks for a token. What is left out is what a plain token has; `undefined` takes a field away. */
export function requestToken(fields: object = {}, options: CallOptions = {}): Promise<Reply> {
  return call("POST /v1/tokens", { ...options, json: { label: "ci", permissions: ["secrets:read"], expires_in: 3600, ...fields } });
}

/** Mints a token that must come about. */
export async function mint(fields: object = {}, options: CallOptions = {}): Promise<{ id: string; token: string }> {
  const reply = await requestToken(fields, options);
  if (reply.status !== 201) throw new Error(`minting failed: ${reply.text}`);
  return reply.body;
}
