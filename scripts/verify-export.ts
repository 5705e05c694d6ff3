import { compactVerify, createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet } from "jose";
import * as z from "zod";
import { type AuditEvent, type Checkpoint, type HeadPayload, headPayloadSchema, type Newer, type Parsed, parsePayload } from "../src/contract/audit.ts";
import { EVENT_VERSIONS, type EventVersions, isNewer, versionOf } from "../src/contract/audit-digest.ts";
import { fromBase64url } from "../src/contract/base64url.ts";
import { BEGINNING, checkEvents, endsAt, follow, type SignedPayload, type Standing } from "../src/contract/check-chain.ts";

/** An exported log: its events, its checkpoints, the JWS of its head, and the public keys. */
export interface Export {
  readonly org: string;
  readonly events: readonly AuditEvent[];
  readonly checkpoints: readonly Checkpoint[];
  readonly head: string | null;
  readonly jwks: JSONWebKeySet;
}

/** What a verification found. */
export interface Finding {
  readonly ok: boolean;
  readonly checked: number;
  readonly unsealed: number;
  /** The `seq` of the first event that is not as it was sealed, or that nothing vouches for. */
  readonly first_bad: number | null;
  /** There when nothing is bad, and a later Keyhole wrote what this one cannot check. */
  readonly newer?: Newer;
}

/** Verifies an exported log against its checkpoints: what `GET /v1/audit/verify` does, without the deployment. */
export async function verifyExport(given: Export, versions: EventVersions = EVENT_VERSIONS): Promise<Finding> {
  const { org, head: jws, jwks } = given;
  const keys = createLocalJWKSet(jwks);
  const head = await readHead(keys, org, jws);
  const events = given.events.toSorted((a, b) => a.seq - b.seq);
  const checkpoints = given.checkpoints.toSorted((a, b) => a.number - b.number);
  const sealedTo = checkpoints.at(-1)?.last_seq ?? 0;
  const unsealed = events.filter(({ seq }) => seq > sealedTo);
  const { checked, firstBad, newer: sealed } = await check({ keys, org, versions }, events, checkpoints, head);
  const newer = firstBad === null ? (sealed ?? (head?.newer ? { seq: sealedTo + 1, version: null } : newerAmong(unsealed, versions))) : null;
  return { ok: firstBad === null && newer === null, checked, unsealed: unsealed.length, first_bad: firstBad, ...(newer && { newer }) };
}

type Keys = ReturnType<typeof createLocalJWKSet>;

interface Needs {
  readonly keys: Keys;
  readonly org: string;
  readonly versions: EventVersions;
}

interface ChainFinding {
  readonly checked: number;
  readonly firstBad: number | null;
  readonly newer: Newer | null;
}

async function check(
  { keys, org, versions }: Needs,
  events: readonly AuditEvent[],
  checkpoints: readonly Checkpoint[],
  head: Parsed<HeadPayload> | undefined,
): Promise<ChainFinding> {
  const removedTo = head?.data.removed_to ?? 0;
  const [first] = events;
  if (first && first.seq <= removedTo) return { checked: 0, firstBad: first.seq, newer: null };
  let standing: Standing = BEGINNING;
  let checked = 0;
  for (const checkpoint of checkpoints) {
    const followed = await follow(org, standing, checkpoint, await readSigned(keys, checkpoint.jws, "keyhole-checkpoint"));
    if (typeof followed === "number") return { checked, firstBad: followed, newer: null };
    standing = followed;
    if (checkpoint.last_seq <= removedTo) continue;
    const sealed = events.filter(({ seq }) => seq >= checkpoint.first_seq && seq <= checkpoint.last_seq);
    const stretch = await checkEvents(checkpoint, sealed, versions);
    checked += stretch.checked;
    if (stretch.firstBad !== null) return { checked, firstBad: stretch.firstBad, newer: null };
    standing = { ...followed, newer: followed.newer ?? stretch.newer };
  }
  return { checked, firstBad: await endsAt(head?.data, standing), newer: standing.newer };
}

function newerAmong(events: readonly AuditEvent[], versions: EventVersions): Newer | null {
  const found = events.find((event) => isNewer(versions, versionOf(event)));
  return found ? { seq: found.seq, version: versionOf(found) } : null;
}

async function readHead(keys: Keys, org: string, jws: string | null): Promise<Parsed<HeadPayload> | undefined> {
  if (jws === null) return { data: { org, number: 0, checkpoint: null, removed_to: 0 }, newer: false };
  const signed = await readSigned(keys, jws, "keyhole-head");
  const head = parsePayload(headPayloadSchema, signed?.payload);
  return head && signed?.vouched && head.data.org === org ? head : undefined;
}

/** What a JWS says, `undefined` when its signature is wrong; by a key that is not in the set it is not vouched for. */
async function readSigned(keys: Keys, jws: string, typ: string): Promise<SignedPayload | undefined> {
  try {
    if (decodeProtectedHeader(jws).typ !== typ) return undefined;
    const { payload } = await compactVerify(jws, keys, { algorithms: ["EdDSA"] });
    return { payload: parse(payload), vouched: true };
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) return undefined;
    return { payload: parse(fromBase64url(jws.split(".")[1] ?? "")), vouched: false };
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

const numberedSchema = z.looseObject({ seq: z.int() });
const versionedSchema = z.looseObject({ version: z.int().min(1).optional() });

/**
 * One line of an exported log, parsed as its version says. Of an event of a later version only `seq` and `version` are
 * read. What has a `seq` and is otherwise no event of its version was tampered with: it comes out as an event of version
 * 0, which no digest fits.
 *
 * @throws {SyntaxError} when it is no line of a log at all.
 */
export function parseEvent(line: string): AuditEvent {
  return parseEventBy(EVENT_VERSIONS, line);
}

/** {@link parseEvent}, with other versions than those of this code. */
export function parseEventBy(versions: EventVersions, line: string): AuditEvent {
  const written: unknown = JSON.parse(line);
  const versioned = versionedSchema.safeParse(written);
  const version = versioned.success ? versionOf(versioned.data) : 0;
  const event = versions[version]?.schema.safeParse(written);
  if (event?.success) return event.data;
  const numbered = numberedSchema.safeParse(written);
  if (!numbered.success) throw new SyntaxError("not an audit event");
  const nothing = { actor: "", token_id: null, secrets: [], target: null, request_id: "", ip: null, user_agent: null };
  const read = { version: isNewer(versions, version) ? version : 0, seq: numbered.data.seq };
  return { ...nothing, ...read, at: "", org: "", action: "audit.read", outcome: "denied" };
}
