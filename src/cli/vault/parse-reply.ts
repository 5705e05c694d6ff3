import type * as z from "zod";
import { CliError } from "../cli-error.ts";

/**
 * What a Vault's answer says, as `schema` has it.
 *
 * @throws {CliError} when it is something else; nothing of the answer is in the error, which may hold values.
 */
export function parseReply<T extends z.ZodType>(schema: T, text: string, host: string): z.output<T> {
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new CliError(
    `what ${host} answers is not what a Vault or OpenBao answers`,
    "is this its address, and is there nothing before it that answers instead?",
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
