import type { Context } from "hono";
import type { HonoEnv } from "../hono-env.ts";
import { vaultAnswer } from "./vault-answer.ts";

/** A token for whoever logged in, or made it. */
export interface Login {
  readonly token: string;
  /** For how long it is valid. */
  readonly seconds: number;
  readonly permissions: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether it ends with no other token. */
  readonly orphan: boolean;
}

/** The reply with a token. */
export function authReply(c: Context<HonoEnv>, { token, seconds, permissions, metadata, orphan }: Login): Response {
  const auth = {
    client_token: token,
    accessor: "",
    policies: permissions,
    token_policies: permissions,
    metadata,
    lease_duration: seconds,
    renewable: false,
    entity_id: "",
    token_type: "batch",
    orphan,
    num_uses: 0,
  };
  return vaultAnswer(c, { auth });
}
