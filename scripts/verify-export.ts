import { compactVerify, createLocalJWKSet, decodeProtectedHeader, errors, type JSONWebKeySet } from "jose";
import * as z from "zod";
import { type AuditEvent, auditEventSchema, type Checkpoint, type HeadPayload, headPayloadSchema } from "../src/contract/audit.ts";
import { fromBase64url } from "../src/contract/base64url.ts";
import { BEGINNING, endsAt, firstBadEvent, follow, type Standing, type Statement } from "../src/contract/check-chain.ts";

/** An exported log: its events, its checkpoints, the statement of its head, and the public keys. */
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
}

/** Verifies an exported log against its checkpoints: what `GET /v1/audit/verify` does, without the deployment. */
export async function verifyExport({ org, events: given, checkpoints: unordered, head: jws, jwks }: Export): Promise<Finding> {
  const keys = createLocalJWKSet(jwks);
  const head = await readHead(keys, org, jws);
  const events = given.toSorted((a, b) => a.seq - b.seq);
  const checkpoints = unordered.toSorted((a, b) => a.number - b.number);
  const unsealed = events.filter(({ seq }) => seq > (checkpoints.at(-1)?.last_seq ?? 0)).length;
  const { checked, firstBad } = await check(keys, org, events, checkpoints, head);
  return { ok: firstBad === null, checked, unsealed, first_bad: firstBad };
}

type Keys = ReturnType<typeof createLocalJWKSet>;

async function check(keys: Keys, org: string, events: readonly AuditEvent[], checkpoints: readonly Checkpoint[], head: HeadPayload | undefined) {
  const removedTo = head?.removed_to ?? 0;
  const [first] = events;
  if (first && first.seq <= removedTo) return { checked: 0, firstBad: first.seq };
  let standing: Standing = BEGINNING;
  let checked = 0;
  for (const checkpoint of checkpoints) {
    const followed = await follow(org, standing, checkpoint, await readStatement(keys, checkpoint.jws, "keyhole-checkpoint"));
    if (typeof followed === "number") return { checked, firstBad: followed };
    if (checkpoint.last_seq > removedTo) {
      const sealed = events.filter(({ seq }) => seq >= checkpoint.first_seq && seq <= checkpoint.last_seq);
      checked += sealed.length;
      const firstBad = await firstBadEvent(checkpoint, sealed);
      if (firstBad !== null) return { checked, firstBad };
    }
    standing = followed;
  }
  return { checked, firstBad: await endsAt(head, standing) };
}

async function readHead(keys: Keys, org: string, jws: string | null): Promise<HeadPayload | undefined> {
  if (jws === null) return { org, number: 0, checkpoint: null, removed_to: 0 };
  const statement = await readStatement(keys, jws, "keyhole-head");
  const { data } = headPayloadSchema.safeParse(statement?.payload);
  return data && statement?.vouched && data.org === org ? data : undefined;
}

/** What a JWS says, `undefined` when its signature is wrong; by a key that is not in the set it is not vouched for. */
async function readStatement(keys: Keys, jws: string, typ: string): Promise<Statement | undefined> {
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

// Nothing may be added that is not in the digest.
const exportedSchema = z.strictObject({ ...auditEventSchema.shape, secrets: z.array(auditEventSchema.shape.secrets.element.strict()) });
const numberedSchema = z.looseObject({ seq: z.int() });

/**
 * One line of an exported log, parsed. What has a `seq` and is otherwise no event was tampered with: it comes out as an
 * event that no digest fits.
 *
 * @throws {SyntaxError} when it is no line of a log at all.
 */
export function parseEvent(line: string): AuditEvent {
  const written: unknown = JSON.parse(line);
  const exported = exportedSchema.safeParse(written);
  if (exported.success) return exported.data;
  const numbered = numberedSchema.safeParse(written);
  if (!numbered.success) throw new SyntaxError("not an audit event");
  const nothing = { actor: "", token_id: null, secrets: [], target: null, request_id: "", ip: null, user_agent: null };
  return { ...nothing, seq: numbered.data.seq, at: "", org: "", action: "audit.read", outcome: "denied" };
}
