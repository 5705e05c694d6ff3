import type * as z from "zod";
import { AUTHORIZATION_CODE, codeGrantSchema, DEVICE_CODE, deviceGrantSchema } from "../../../contract/oauth-client.ts";
import { fieldsOf, type MalformedExchange } from "./parse-exchange.ts";

/** What a program that logs in has for a token. */
export type ProgramGrant = z.output<typeof codeGrantSchema> | z.output<typeof deviceGrantSchema>;

/** The grant of a program that logs in; `undefined` for a form that is of another grant. */
export function parseGrant(form: string): ProgramGrant | MalformedExchange | undefined {
  const fields = fieldsOf(form);
  const type = fields.grant_type;
  if (type !== AUTHORIZATION_CODE && type !== DEVICE_CODE) return undefined;
  const { data, error } = type === DEVICE_CODE ? deviceGrantSchema.safeParse(fields) : codeGrantSchema.safeParse(fields);
  if (data) return data;
  // The names alone: what is wrong may be a code.
  return { error: "invalid_request", detail: `Missing, repeated or malformed: ${error.issues.map(({ path }) => path.join(".")).join(", ")}.` };
}
