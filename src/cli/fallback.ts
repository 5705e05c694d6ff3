import { createHash, randomBytes } from "node:crypto";
import { linkSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { KeyholeError, type TokenProvider } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { homeFolder, writePrivateFile } from "./config-folder.ts";
import { EXIT } from "./exit-code.ts";
import { machineIdentity } from "./machine-identity.ts";
import { note } from "./output.ts";
import { relativeTime } from "./relative-time.ts";
import { deriveKey, openEntry, sealEntry } from "./seal-entry.ts";
import { type Gaps, gapsSchema } from "./tell-gaps.ts";
import { holderOf } from "./token-holder.ts";

/** What was asked for. */
export interface FallbackRequest {
  readonly scopes: readonly string[] | undefined;
  readonly names: readonly string[] | undefined;
  readonly allow_missing?: boolean;
}

/** A deployment, who asks, and what for: an answer to one is never used for another. */
export interface FallbackSubject {
  readonly url: string;
  readonly token: TokenProvider;
  readonly request: FallbackRequest;
}

/** An older version has kept answers without their gaps. */
const keptSchema = z.object({ at: z.number(), variables: z.record(z.string(), z.string()), gaps: gapsSchema.optional() });
type Variables = Record<string, string>;

/** What the service answered. */
interface Answer {
  readonly variables: Variables;
  readonly gaps: Gaps;
}

/** When a kept answer is used, and what is told. */
interface Keeping {
  /** Seconds. */
  readonly maxAge: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Told what an answer is without, `undefined` where that is not known; what it throws refuses the answer, which is then not kept or used. */
  readonly tell: (gaps: Gaps | undefined) => Promise<void>;
}

const SALT = "salt";

/** What is kept of earlier answers. */
export interface Fallback {
  /** Asks and keeps the answer; when the service cannot be reached, gives the one that was kept last, if it is not older than `maxAge`. */
  keepOrUse(ask: () => Promise<Answer>, keeping: Keeping): Promise<Variables>;
}

/** Opens what this machine keeps for `subject` in `~/.keyhole`. */
export async function openFallback(subject: FallbackSubject, { folder = usualFolder(), identity = machineIdentity() } = {}): Promise<Fallback> {
  const about = await aboutOf(subject);
  const name = `${createHash("sha256").update(about).digest("hex").slice(0, 32)}.fallback`;
  const place = { folder, name, about, identity };
  return {
    async keepOrUse(ask, keeping) {
      const answer = await ask().catch((error: unknown) => {
        if (isOutage(error)) return error;
        throw error;
      });
      if (answer instanceof KeyholeError) return useKept(await readKept(place), keeping, answer);
      await keeping.tell(answer.gaps);
      await keep(place, JSON.stringify({ at: keeping.now, ...answer }));
      return answer.variables;
    },
  };
}

function usualFolder(): string | undefined {
  const home = homeFolder();
  return home && join(home, ".keyhole");
}

/** Whether the service did not answer, as opposed to answering that it will not. */
function isOutage(error: unknown): error is KeyholeError {
  if (!(error instanceof KeyholeError)) return false;
  return error.code === "unreachable" || [502, 503, 504].includes(error.status ?? 0) || ((error.status ?? 0) >= 520 && (error.status ?? 0) <= 530);
}

/** Where an answer is kept, what it is about, and whose machine this is. */
interface Place {
  readonly folder: string | undefined;
  readonly name: string;
  readonly about: string;
  readonly identity: string;
}

/** Keeps an answer, for another time: that it cannot be kept is no reason to do without it now. */
async function keep({ folder, name, about, identity }: Place, text: string): Promise<void> {
  try {
    if (folder === undefined) throw new Error("there is no home folder");
    const key = await deriveKey(identity, makeSalt(folder));
    writePrivateFile(join(folder, name), `${sealEntry(key, about, text)}\n`, folder);
  } catch (error) {
    note(`warning: this answer cannot be kept for --fallback: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What is kept, if anything is; its text, if it opens here. */
async function readKept({ folder, name, about, identity }: Place): Promise<{ text: string | undefined } | undefined> {
  const entry = folder && readText(join(folder, name));
  if (!folder || !entry) return undefined;
  const salt = readSalt(folder);
  return { text: salt && openEntry(await deriveKey(identity, salt), about, entry) };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

async function useKept(kept: { text: string | undefined } | undefined, { maxAge, now, tell }: Keeping, error: KeyholeError): Promise<Variables> {
  const refuse = (why: string, hint: string) => new CliError(`${error.message} ${why}`, hint, EXIT.unavailable);
  if (kept === undefined) throw refuse("No earlier answer is kept.", "one is kept each time `keyhole run --fallback` reaches the service");
  if (kept.text === undefined)
    throw refuse("The answer that is kept does not open on this machine.", "it was changed, or comes from elsewhere; the next answer replaces it");
  const { at, variables, gaps } = keptSchema.parse(JSON.parse(kept.text));
  const age = relativeTime(new Date(at).toISOString(), now);
  // A clock that was set back must not make an old answer young.
  if (now - at > maxAge * 1000 || at - now > 300_000)
    throw refuse(`The answer that is kept is too old (${age}).`, "raise --fallback-max-age if you mean to use it");
  note(`warning: ${error.message} Using the answer from ${age}; what changed since then is not in it.`);
  await tell(gaps);
  return variables;
}

async function aboutOf({ url, token, request: { scopes = [], names, allow_missing = false } }: FallbackSubject): Promise<string> {
  const asked = [url, await holderOf(url, token), [...scopes].sort(), names ? [...names].sort() : null];
  // An answer that may have holes is none to a request that may not.
  return JSON.stringify(["keyhole/fallback/v1", ...asked, ...(allow_missing ? ["allow_missing"] : [])]);
}

/** The salt of this folder, made when it is first needed: of several that need it at once the first one's is taken. */
function makeSalt(folder: string): Buffer {
  if (readText(join(folder, SALT)) === undefined) writePrivateFile(join(folder, SALT), randomBytes(16).toString("base64url"), folder, linkUnlessThere);
  const salt = readSalt(folder);
  if (!salt) throw new Error(`${join(folder, SALT)} is not what keyhole writes; remove it`);
  return salt;
}

function readSalt(folder: string): Buffer | undefined {
  const salt = Buffer.from(readText(join(folder, SALT)) ?? "", "base64url");
  return salt.length === 16 ? salt : undefined;
}

function linkUnlessThere(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
