import type { Client } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** Refuses a token that may not write, before much is asked: otherwise each call would be refused, and each refusal be on record. */
export async function requireWriting(client: Client): Promise<void> {
  const { permissions } = await client.whoami();
  if (!permissions.includes("secrets:write"))
    throw new CliError("this token may not write secrets", "it needs secrets:write: `keyhole status` shows what it may do", EXIT.refused);
}
