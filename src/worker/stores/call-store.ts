import type * as z from "zod";
import { callOut } from "../outgoing/call-out.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { readUpTo } from "../outgoing/read-up-to.ts";
import { type DriverNeeds, StoreError, type StoreRefusal } from "./store-driver.ts";

/** A request to a store, or to whoever gives access to it. */
export interface StoreCall {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | null;
  /** Whether twice is as once: only then it is sent again when nobody knows whether it was done. */
  readonly repeatable: boolean;
  /** Whether it changes something in the store. */
  readonly changes: boolean;
}

/** What came back. */
export interface StoreReply {
  readonly status: number;
  /** The media type, in lower case and without parameters. */
  readonly type: string;
  readonly text: string;
}

/** How long an answer may take to begin, and to end, and all attempts together, in milliseconds. */
const FIRST_BYTE = 10_000;
const WHOLE = 15_000;
const ALL = 20_000;
/** The largest reply, in bytes: a page of names with everything that a store tells of each. */
const MOST = 2 * 2 ** 20;
const MOST_ATTEMPTS = 4;
/** How long one call waits before its attempts, all together, in milliseconds; and before the second one at the most. */
const MOST_WAITING = 5_000;
const FIRST_WAIT = 200;

/** Status of a call that nobody answered. */
const NOBODY = 0;

/**
 * Calls a store. What it has no room for just now is tried again, after a random part of a time that doubles (full jitter),
 * and not before it says in `Retry-After`: at most four times, within five seconds of waiting and twenty in all.
 *
 * @param isThrottled Whether a reply says so in words of its own.
 * @returns A reply whose status is 2xx or 4xx.
 * @throws {StoreError} `address`, `throttled`, `unreachable`, `too-slow`, `reply`.
 */
export async function callStore(needs: DriverNeeds, call: StoreCall, isThrottled: (reply: StoreReply) => boolean = () => false): Promise<StoreReply> {
  const over = needs.over ? AbortSignal.any([needs.over, AbortSignal.timeout(ALL)]) : AbortSignal.timeout(ALL);
  let left = MOST_WAITING;
  for (let attempt = 1; ; attempt++) {
    if (needs.over?.aborted) throw new StoreError("too-slow");
    const { reply, after } = await once(needs, call, over);
    const passing = reply.status === 429 || isThrottled(reply) ? "throttled" : reply.status === NOBODY || reply.status >= 500 ? "unreachable" : undefined;
    if (!passing) return reply;
    if (passing === "unreachable" && call.changes) needs.onUnknown?.();
    const wait = Math.max(after, Math.random() * FIRST_WAIT * 2 ** (attempt - 1));
    const again = passing === "throttled" || call.repeatable;
    if (!again || attempt === MOST_ATTEMPTS || wait > left) throw new StoreError(passing);
    left -= wait;
    await (needs.pause ?? pause)(wait);
  }
}

/**
 * A reply's JSON, as `schema` has it.
 *
 * @param parse Takes its text apart.
 * @throws {StoreError} `reply`
 */
export function readJson<Schema extends z.ZodType>(reply: StoreReply, schema: Schema, parse?: (text: string) => unknown): z.output<Schema> {
  const read = isSuccess(reply) ? schema.safeParse(jsonOf(reply, parse)) : undefined;
  if (!read?.success) throw new StoreError("reply");
  return read.data;
}

/** A reply that says in JSON that something was done. @throws {StoreError} `reply` */
export function requireJson(reply: StoreReply): StoreReply {
  if (!isSuccess(reply) || jsonOf(reply) === undefined) throw new StoreError("reply");
  return reply;
}

/** A reply's JSON; `undefined` where it has none. */
export function jsonOf({ type, text }: StoreReply, parse: (text: string) => unknown = JSON.parse): unknown {
  if (!/^application\/(?:[a-z0-9.-]+\+)?(?:json|x-amz-json-1\.[01])$/.test(type)) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

export function isSuccess({ status }: StoreReply): boolean {
  return status >= 200 && status < 300;
}

async function once(
  { rules, clock }: DriverNeeds,
  { url, method, headers, body }: StoreCall,
  leave: AbortSignal,
): Promise<{ reply: StoreReply; after: number }> {
  try {
    const response = await callOut(rules, { url, method, headers: new Headers(headers), body, firstByte: FIRST_BYTE, whole: WHOLE, leave });
    if (response.status < 200 || (response.status >= 300 && response.status < 400)) {
      await response.body?.cancel();
      throw new StoreError("reply");
    }
    const type = (response.headers.get("Content-Type") ?? "").replace(/;.*/s, "").trim().toLowerCase();
    const reply = { status: response.status, type, text: await textOf(response) };
    return { reply, after: waitOf(response.headers.get("Retry-After"), clock()) };
  } catch (error) {
    const refusal = error instanceof StoreError ? error.refusal : refusalOf(error);
    if (refusal === "unreachable") return { reply: { status: NOBODY, type: "", text: "" }, after: 0 };
    throw new StoreError(refusal);
  }
}

async function textOf({ body }: Response): Promise<string> {
  const bytes = await readUpTo(body, MOST);
  if (!bytes) throw new StoreError("reply");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new StoreError("reply");
  }
}

/** What the platform says of a call that broke off is nobody's. */
function refusalOf(error: unknown): StoreRefusal {
  if (!(error instanceof OutgoingError)) return error instanceof Error && /^(?:Timeout|Abort)Error$/.test(error.name) ? "too-slow" : "unreachable";
  if (error.refusal === "not-public" || error.refusal === "own-address") return "address";
  return error.refusal === "too-slow" || error.refusal === "ended" ? "too-slow" : "unreachable";
}

/** `Retry-After` in milliseconds from now (RFC 9110, section 10.2.3): seconds, or a date. */
function waitOf(after: string | null, now: number): number {
  if (after === null) return 0;
  const wait = /^\d{1,9}$/.test(after) ? Number(after) * 1000 : Date.parse(after) - now;
  return Number.isNaN(wait) ? 0 : Math.max(0, wait);
}

/** Waits, by a timer. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
