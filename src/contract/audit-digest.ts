import * as z from "zod";
import { type AuditEvent, auditEventSchema, leaseCallsSchema } from "./audit.ts";
import { toBase64url } from "./base64url.ts";

/** What an audit event of one version is. It never changes once an event of it has been written; what is to change is a new version. */
interface EventVersion {
  /** Its members, and no other: nothing may be added to an event that its digest does not cover. */
  readonly schema: z.ZodType<AuditEvent>;
  /** What its digest covers, in this order, after the name of the version. */
  covers(event: AuditEvent & Readonly<Record<string, unknown>>): readonly unknown[];
}

/** By their numbers, from 1 on. */
export type EventVersions = Readonly<Record<number, EventVersion>>;

const { lease: WHOLE_LEASE, secrets_total: _, issuer: ISSUER, ...FIRST_MEMBERS } = auditEventSchema.shape;
/** As it was before a lease could be one of uses. */
const LEASE = WHOLE_LEASE.unwrap().omit({ calls: true });
const MEMBERS = { ...FIRST_MEMBERS, secrets: z.array(auditEventSchema.shape.secrets.element.strict()) };
const OUTCOMES = z.enum(["allowed", "denied", "failed"]);
const MANY = { lease: LEASE.strict().optional(), secrets_total: z.int() };

function covered({ seq, at, org, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent }: AuditEvent): readonly unknown[] {
  return [
    ...[seq, at, org, actor, token_id, action, outcome],
    secrets.map(({ id, name, scope, version }) => [id, name, scope, version]),
    ...[target, request_id, ip, user_agent],
  ];
}

function leaseCovered({ lease }: AuditEvent): readonly unknown[] {
  return [lease?.id ?? null, lease?.until ?? null, lease?.max_uses ?? null, lease?.uses ?? null, lease?.final ?? null];
}

function callsCovered({ lease }: AuditEvent): readonly unknown[] | null {
  if (!lease?.calls) return null;
  const { requests, other_requests, statuses, sent_bytes, received_bytes } = lease.calls;
  return [
    requests.map(({ request, count }) => [request, count]),
    other_requests,
    statuses.map(({ status, count }) => [status, count]),
    sent_bytes,
    received_bytes,
  ];
}

/** A lease with all its members, and no other anywhere in it. */
function strictLease() {
  const { requests, statuses } = leaseCallsSchema.shape;
  const calls = leaseCallsSchema.extend({ requests: z.array(requests.element.strict()), statuses: z.array(statuses.element.strict()) }).strict();
  return LEASE.extend({ calls: calls.optional() }).strict().optional();
}

/** The versions of audit events that this code knows. A new one is a new row. */
export const EVENT_VERSIONS: EventVersions = {
  1: {
    schema: z.strictObject({ ...MEMBERS, outcome: z.enum(["allowed", "denied"]) }),
    covers: covered,
  },
  // The outcome `failed` came with it: whoever knows the first version only does not know what that says.
  2: { schema: z.strictObject({ ...MEMBERS, outcome: OUTCOMES }), covers: covered },
  // What is about a lease.
  3: {
    schema: z.strictObject({ ...MEMBERS, outcome: OUTCOMES, lease: LEASE.strict() }),
    covers: (event) => [...covered(event), leaseCovered(event)],
  },
  // What is about many secrets, a lease among it.
  4: {
    schema: z.strictObject({ ...MEMBERS, ...MANY, outcome: OUTCOMES }),
    covers: (event) => [...covered(event), leaseCovered(event), event.secrets_total ?? null],
  },
  // Whose token it was; the outcome `not-found`.
  5: {
    schema: z.strictObject({
      ...MEMBERS,
      ...MANY,
      secrets_total: MANY.secrets_total.optional(),
      outcome: z.enum([...OUTCOMES.options, "not-found"]),
      issuer: ISSUER.unwrap(),
    }),
    covers: (event) => [...covered(event), leaseCovered(event), event.secrets_total ?? null, event.issuer ?? null],
  },
  // What was asked of a service under a lease.
  6: {
    schema: z.strictObject({
      ...MEMBERS,
      secrets_total: MANY.secrets_total.optional(),
      lease: strictLease(),
      outcome: z.enum([...OUTCOMES.options, "not-found"]),
      issuer: ISSUER.unwrap(),
    }),
    covers: (event) => [...covered(event), leaseCovered(event), event.secrets_total ?? null, event.issuer ?? null, callsCovered(event)],
  },
};

/** An event from before events had versions is of the first. */
export function versionOf({ version = 1 }: { readonly version?: number | undefined }): number {
  return version;
}

/** Whether a version comes after all that are known: whoever knows it has to judge the event. */
export function isNewer(versions: EventVersions, version: number): boolean {
  return version > newestOf(versions);
}

/** The last version that is known. */
export function newestOf(versions: EventVersions): number {
  return Math.max(...Object.keys(versions).map(Number));
}

/**
 * The digest of an audit event: SHA-256 over the UTF-8 of the JSON array of the version's name (`keyhole-audit/v<version>`)
 * and what the version covers, base64url without padding. After the first version `v<version>.` stands before it, so that
 * what is signed over digests also says of which version each event was. It is the same for an event from the database,
 * from a reply and from an export.
 *
 * @throws {RangeError} when the event's version is not known.
 */
export async function eventDigest(event: AuditEvent): Promise<string> {
  return eventDigestBy(EVENT_VERSIONS, event);
}

/** {@link eventDigest}, with other versions than those of this code. */
export async function eventDigestBy(versions: EventVersions, event: AuditEvent): Promise<string> {
  const version = versionOf(event);
  const covered = versions[version]?.covers(event);
  if (!covered) throw new RangeError("an audit event of this version is not known");
  const digest = await sha256(JSON.stringify([`keyhole-audit/v${version}`, ...covered]));
  return version === 1 ? digest : `v${version}.${digest}`;
}

/** Lets what waits have its turn. */
export type Turn = () => Promise<void>;

/** How many digests are made in one go: on a Worker's one thread everything else waits for them. */
const IN_ONE_GO = 100;

/**
 * The digests of events, in their order; `null` for those of versions that are not known.
 *
 * @param turn What is awaited before each hundred of them.
 */
export async function eventDigests(versions: EventVersions, events: readonly AuditEvent[], turn?: Turn): Promise<(string | null)[]> {
  const digests: (string | null)[] = [];
  for (let at = 0; at < events.length; at += IN_ONE_GO) {
    await turn?.();
    const some = events.slice(at, at + IN_ONE_GO);
    digests.push(...(await Promise.all(some.map((event) => (Object.hasOwn(versions, versionOf(event)) ? eventDigestBy(versions, event) : null)))));
  }
  return digests;
}

const DIGEST = /^(?:v([1-9]\d{0,8})\.)?[A-Za-z0-9_-]{43}$/;

/** The version of the event that a digest is of; `undefined` when it is no digest. */
export function versionOfDigest(digest: string): number | undefined {
  const found = DIGEST.exec(digest);
  return found ? Number(found[1] ?? 1) : undefined;
}

/** The SHA-256 of a text's UTF-8, base64url without padding. */
export async function sha256(text: string): Promise<string> {
  return toBase64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
