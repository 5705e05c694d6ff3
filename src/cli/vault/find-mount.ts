import * as z from "zod";
import { CliError, usageError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import type { Vault } from "./open-vault.ts";
import { parseReply } from "./parse-reply.ts";

/** The versions of Vault's key-value engine. */
export const KV_VERSIONS = ["1", "2"] as const;
export type KvVersion = (typeof KV_VERSIONS)[number];

/** Where a key-value engine is mounted. */
export interface Mount {
  /** Its path's segments. */
  readonly segments: readonly string[];
  readonly version: KvVersion;
}

const mountSchema = z.object({ data: z.object({ path: z.string(), type: z.string(), options: z.record(z.string(), z.unknown()).nullish() }) });

/**
 * The mount at a path.
 *
 * @param given Its version, where that is known: then nothing is asked.
 * @throws {CliError} when there is none, it is something else, or the token may not know.
 */
export async function findMount(vault: Vault, path: string, given: KvVersion | undefined): Promise<Mount> {
  const segments = path.split("/").filter((segment) => segment !== "");
  if (segments.length === 0 || segments.some((segment) => segment === "." || segment === ".."))
    throw usageError("that is not the path of a mount", "for example secret; a part of it is named with --path");
  if (given !== undefined) return { segments, version: given };
  const reply = await vault.read(["sys", "internal", "ui", "mounts", ...segments]);
  if (reply.status !== 200) throw unknownMount(vault, segments);
  const { data } = parseReply(mountSchema, reply.text, vault.host);
  const name = segments.join("/");
  const mounted = data.path.replace(/\/$/, "");
  if (mounted !== name)
    throw usageError(`${name} is no mount: ${mounted} is`, `name ${mounted}, and the part of it with --path ${name.slice(mounted.length + 1)}`);
  if (data.type !== "kv" && data.type !== "generic") throw usageError(`${name} is no key-value engine: it is of the type ${data.type}`, "only kv is imported");
  return { segments, version: String(data.options?.version) === "2" ? "2" : "1" };
}

/** Vault answers alike to a token that is no longer good, one that may not, and a mount that is not there. */
function unknownMount({ host }: Vault, segments: readonly string[]): CliError {
  return new CliError(
    `${host} has no mount ${segments.join("/")} for this token, or does not accept the token`,
    "`vault kv list` with the same VAULT_TOKEN and VAULT_NAMESPACE shows whether it may; --kv-version says which one it is to a token that may not ask",
    EXIT.refused,
  );
}
