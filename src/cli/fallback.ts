import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { KeyholeError, type TokenProvider } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { writePrivateFile } from "./config-folder.ts";
import { EXIT } from "./exit-code.ts";
import { machineIdentity } from "./machine-identity.ts";
import { note } from "./output.ts";
import { relativeTime } from "./relative-time.ts";
import { deriveKey, openEntry, sealEntry } from "./seal-entry.ts";
import { holderOf } from "./token-holder.ts";

/** What was asked for. */
export interface FallbackRequest {
  readonly scopes: readonly string[] | undefined;
  readonly names: readonly string[] | undefined;
}

/** A deployment, who asks, and what for: an answer to one is never used for another. */
export interface FallbackSubject {
  readonly url: string;
  readonly token: TokenProvider;
  readonly request: FallbackRequest;
}

const keptSchema = z.object({ at: z.number(), variables: z.record(z.string(), z.string()) });
type Variables = Record<string, string>;

/** What is kept of earlier answers. */
export interface Fallback {
  /** Asks and keeps the answer; when the service cannot be reached, gives the one that was kept last, in seconds not older than `maxAge`. */
  keepOrUse(ask: () => Promise<Variables>, limits: { maxAge: number; now: number }): Promise<Variables>;
}

/** Opens what this machine keeps for `subject` in `~/.keyhole`. */
export async function openFallback(subject: FallbackSubject, { folder = join(homedir(), ".keyhole"), identity = machineIdentity() } = {}): Promise<Fallback> {
  const about = await aboutOf(subject);
  const path = join(folder, `${createHash("sha256").update(about).digest("hex").slice(0, 32)}.fallback`);
  const key = await deriveKey(identity, readSalt(folder));
  return {
    async keepOrUse(ask, { maxAge, now }) {
      try {
        const variables = await ask();
        writePrivateFile(path, `${sealEntry(key, about, JSON.stringify({ at: now, variables }))}\n`, folder);
        return variables;
      } catch (error) {
        if (!isOutage(error)) throw error;
        return useKept(readEntry(path), { key, about, maxAge, now, error });
      }
    },
  };
}

/** Whether the service did not answer, as opposed to answering that it will not. */
function isOutage(error: unknown): error is KeyholeError {
  if (!(error instanceof KeyholeError)) return false;
  return error.code === "unreachable" || [502, 503, 504].includes(error.status ?? 0) || ((error.status ?? 0) >= 520 && (error.status ?? 0) <= 530);
}

interface Use {
  readonly key: Uint8Array;
  readonly about: string;
  readonly maxAge: number;
  readonly now: number;
  readonly error: KeyholeError;
}

function useKept(entry: string | undefined, { key, about, maxAge, now, error }: Use): Variables {
  const refuse = (why: string, hint: string) => new CliError(`${error.message} ${why}`, hint, EXIT.unavailable);
  if (entry === undefined) throw refuse("No earlier answer is kept.", "one is kept each time `keyhole run --fallback` reaches the service");
  const text = openEntry(key, about, entry);
  if (text === undefined)
    throw refuse("The answer that is kept does not open on this machine.", "it was changed, or comes from elsewhere; the next answer replaces it");
  const { at, variables } = keptSchema.parse(JSON.parse(text));
  const age = relativeTime(new Date(at).toISOString(), now);
  // A clock that was set back must not make an old answer young.
  if (now - at > maxAge * 1000 || at - now > 300_000)
    throw refuse(`The answer that is kept is too old (${age}).`, "raise --fallback-max-age if you mean to use it");
  note(`warning: ${error.message} Using the answer from ${age}; what changed since then is not in it.`);
  return variables;
}

async function aboutOf({ url, token, request: { scopes = [], names } }: FallbackSubject): Promise<string> {
  return JSON.stringify(["keyhole/fallback/v1", url, await holderOf(token), [...scopes].sort(), names ? [...names].sort() : null]);
}

function readEntry(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The salt of this folder, made when it is first needed. */
function readSalt(folder: string): Buffer {
  const path = join(folder, "salt");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, randomBytes(16).toString("base64url"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return Buffer.from(readFileSync(path, "utf8"), "base64url");
}
