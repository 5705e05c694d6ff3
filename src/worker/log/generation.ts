import { parsePayload } from "../../contract/audit.ts";
import { type GenerationPayload, generationPayloadSchema } from "../../contract/audit-generation.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import type { GenerationRow } from "../audit/generations.ts";

/** What a restore that was accepted says; `undefined` unless a key that is known signed it. */
export async function readGeneration(keys: LogKeys, { jws }: Pick<GenerationRow, "jws">): Promise<GenerationPayload | undefined> {
  const signed = await verifyPayload(keys, "keyhole-generation", jws);
  return parsePayload(generationPayloadSchema, signed?.vouched ? signed.payload : undefined)?.data;
}
