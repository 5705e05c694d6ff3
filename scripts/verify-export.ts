import { compactVerify, createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet } from "jose";
import * as z from "zod";
import { type AuditEvent, type Checkpoint, type HeadPayload, headPayloadSchema, type Newer, type Parsed, parsePayload } from "../src/contract/audit.ts";
import { EVENT_VERSIONS, type EventVersions, isNewer, sha256, versionOf } from "../src/contract/audit-digest.ts";
import { generationPayloadSchema, type LostRange } from "../src/contract/audit-generation.ts";
import { type AnchorHead, type AnchorPayload, anchorPayloadSchema } from "../src/contract/audit-registry.ts";
import { fromBase64url } from "../src/contract/base64url.ts";
import { beginningOf, checkEvents, endsAt, follow, openGenerations, type SignedGeneration, type SignedPayload } from "../src/contract/check-chain.ts";
import { judgeLog } from "../src/contract/judge-log.ts";

/** An exported log: its events, its checkpoints, the JWS of its head, and the public keys. */
export interface Export {
  readonly org: string;
  readonly events: readonly AuditEvent[];
  readonly checkpoints: readonly Checkpoint[];
  readonly head: string | null;
  readonly jwks: JSONWebKeySet;
  /** The JWS of restores that were accepted, in their order. */
  readonly generations?: readonly string[];
  /** The JWS of anchors that were kept elsewhere. */
  readonly anchors?: readonly string[];
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
  /** Why it is not whole. `no-anchor`: an anchor is not signed with a key of the set, or says nothing of this log. */
  readonly reason?: "changed" | "newer" | "behind" | "differs" | "no-anchor";
  /** What restores took away, as an operator accepted it. */
  readonly restored?: readonly LostRange[];
}

/** Verifies an exported log against its checkpoints, and anchors: what `GET /v1/audit/verify` does, without the deployment. */
export async function verifyExport(given: Export, versions: EventVersions = EVENT_VERSIONS): Promise<Finding> {
  const { org, head: jws, jwks } = given;
  const keys = createLocalJWKSet(jwks);
  const head = await readHead(keys, org, jws);
  const events = given.events.toSorted((a, b) => a.seq - b.seq);
  const checkpoints = given.checkpoints.toSorted((a, b) => a.number - b.number);
  const generations = await Promise.all(
    (given.generations ?? []).map(async (one) => ({ jws: one, signed: await readSigned(keys, one, "keyhole-generation") })),
  );
  const sealedTo = checkpoints.at(-1)?.last_seq ?? 0;
  const unsealed = events.filter(({ seq }) => seq > sealedTo);
  const { checked, firstBad, newer: sealed, restored } = await check({ keys, org, versions }, events, { checkpoints, generations, head });
  const counted = { checked, unsealed: unsealed.length, ...(restored.length > 0 && { restored }) };
  if (firstBad !== null) return { ok: false, ...counted, first_bad: firstBad, reason: "changed" };
  const judged = await judgeByAnchors(keys, org, given.anchors ?? [], { checkpoints, generations, head: head?.data });
  if (judged) return { ok: false, ...counted, ...judged };
  const newer = sealed ?? (head?.newer ? { seq: sealedTo + 1, version: null } : newerAmong(unsealed, versions));
  return { ok: newer === null, ...counted, first_bad: null, ...(newer && { newer, reason: "newer" }) };
}

interface Chain {
  readonly checkpoints: readonly Checkpoint[];
  readonly generations: readonly SignedGeneration[];
}

/** Judges a chain that was checked by the last states that anchors have signed. */
async function judgeByAnchors(
  keys: Keys,
  org: string,
  anchors: readonly string[],
  { checkpoints, generations, head }: Chain & { readonly head: HeadPayload | undefined },
): Promise<Required<Pick<Finding, "reason" | "first_bad">> | undefined> {
  if (anchors.length === 0) return undefined;
  const payloads = await Promise.all(anchors.map(async (jws) => readAnchor(await readSigned(keys, jws, "keyhole-anchor"))));
  const states = payloads.flatMap((payload) => payload?.heads.filter((one) => one.org === org) ?? []);
  if (payloads.includes(undefined) || states.length === 0) return { reason: "no-anchor", first_bad: null };
  const links = [...checkpoints.map(({ number, jws }) => ({ number, jws })), ...generations.map(({ jws, signed }) => ({ number: numberOf(signed), jws }))];
  for (const state of states) {
    const hashes = await Promise.all(links.filter(({ number }) => number === state.number).map(({ jws }) => sha256(jws)));
    const hashAt = () => (isRemoved(state, head) ? state.checkpoint : (hashes.find((hash) => hash === state.checkpoint) ?? null));
    const reason = head ? await judgeLog(state, head, hashAt) : "behind";
    if (reason === "behind") return { reason, first_bad: (checkpoints.at(-1)?.last_seq ?? 0) + 1 };
    if (reason) return { reason, first_bad: checkpoints.find(({ number }) => number === state.number)?.first_seq ?? 1 };
  }
  return undefined;
}

/** Whether a checkpoint has gone because of its age, as the head says: but for the last one of them nothing shows which it was. */
function isRemoved({ number, checkpoint }: AnchorHead, head: HeadPayload | undefined): boolean {
  const removed = head?.removed;
  return removed !== undefined && (number < removed.number || (number === removed.number && checkpoint === removed.checkpoint));
}

function readAnchor(signed: SignedPayload | undefined): AnchorPayload | undefined {
  return parsePayload(anchorPayloadSchema, signed?.vouched ? signed.payload : undefined)?.data;
}

function numberOf(signed: SignedPayload | undefined): number | undefined {
  return parsePayload(generationPayloadSchema, signed?.payload)?.data.number;
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
  readonly restored: readonly LostRange[];
}

async function check(
  { keys, org, versions }: Needs,
  events: readonly AuditEvent[],
  { checkpoints, generations, head }: Chain & { readonly head: Parsed<HeadPayload> | undefined },
): Promise<ChainFinding> {
  const removedTo = head?.data.removed_to ?? 0;
  const [first] = events;
  const beginning = beginningOf(head?.data, generations);
  let standing = await openGenerations(org, beginning, generations);
  let checked = 0;
  const found = (firstBad: number | null): ChainFinding => ({ checked, firstBad, newer: standing.newer, restored: standing.restored });
  if (first && first.seq <= removedTo) return found(first.seq);
  // A list of several pages may begin with what was removed while it was read.
  for (const checkpoint of checkpoints.filter(({ number }) => number > beginning.passed.number)) {
    const followed = await follow(org, standing, checkpoint, await readSigned(keys, checkpoint.jws, "keyhole-checkpoint"));
    if (typeof followed === "number") return found(followed);
    standing = await openGenerations(org, followed, generations);
    if (checkpoint.last_seq <= removedTo) continue;
    const sealed = events.filter(({ seq }) => seq >= checkpoint.first_seq && seq <= checkpoint.last_seq);
    const stretch = await checkEvents(checkpoint, sealed, versions);
    checked += stretch.checked;
    if (stretch.firstBad !== null) return found(stretch.firstBad);
    standing = { ...standing, newer: standing.newer ?? stretch.newer };
  }
  return found(endsAt(head?.data, standing, generations.length));
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
