import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { Problem } from "../../../contract/problem.ts";
import { networkOf } from "../../access/network-of.ts";
import type { Env } from "../../config.ts";
import { type Allowance, type Allowed, takeAllowance } from "../../take-allowance.ts";
import type { HonoEnv } from "../hono-env.ts";
import { originOf } from "../origin-of.ts";

/** What an isolate takes of each kind of caller: far more than one needs, so that no one has it to itself. */
const ALLOWED = {
  address: { aSecond: 1_000, atOnce: 5_000 },
  uses: { aSecond: 5_000, atOnce: 10_000 },
  organization: { aSecond: 2_000, atOnce: 10_000 },
  token: { aSecond: 1_000, atOnce: 5_000 },
  /** Each answer asks D1 twice, of anybody. */
  readiness: { aSecond: 1, atOnce: 30 },
} as const satisfies Record<string, Allowed>;

const allowances = new WeakMap<Env, Map<string, Allowance>>();

/** Holds up an address that calls more often than one isolate takes of it. Of IPv6 it is the first 64 bits that count. */
export const limitAddress = createMiddleware<HonoEnv>(async (c, next) => {
  takeAddress(c, "address");
  await next();
});

/** The same for uses of services, most of which need nothing but this isolate. */
export const limitUsesOfAddress = createMiddleware<HonoEnv>(async (c, next) => {
  takeAddress(c, "uses");
  await next();
});

/** Whether an address may use one more service now, by what this isolate has counted of it. */
export function takeUseOfAddress(env: Env, ip: string | null, now: number): boolean {
  const address = networkOf(ip);
  return address === null || isAllowed(env, "uses", address, now);
}

function takeAddress(c: Context<HonoEnv>, kind: "address" | "uses"): void {
  const address = addressOf(c);
  if (address !== null) take(c, kind, address);
}

/** Holds up an organization, or a token, that calls more often than one isolate takes of it. */
export const limitCaller = createMiddleware<HonoEnv>(async (c, next) => {
  takeCaller(c);
  await next();
});

/** @throws {Problem} `rate-limited` when an organization, or a token, calls more often than one isolate takes of it. */
export function takeCaller(c: Context<HonoEnv>): void {
  const { org, tokenId, subject } = c.get("caller");
  take(c, "organization", org);
  take(c, "token", `${org} ${tokenId ?? subject}`);
}

/** Holds up an address that asks without a token whether the Worker is ready, more than once a second for long. */
export const limitReadiness = createMiddleware<HonoEnv>(async (c, next) => {
  if (c.req.header("Authorization") === undefined) take(c, "readiness", addressOf(c) ?? "");
  await next();
});

function addressOf(c: Context<HonoEnv>): string | null {
  return networkOf(originOf(c).ip);
}

function take(c: Context<HonoEnv>, kind: keyof typeof ALLOWED, holder: string): void {
  if (isAllowed(c.env, kind, holder, c.get("now").getTime())) return;
  throw new Problem("rate-limited", `Too many requests from one ${kind === "readiness" || kind === "uses" ? "address" : kind}; wait and try again.`, {
    headers: { "Retry-After": "1" },
  });
}

function isAllowed(env: Env, kind: keyof typeof ALLOWED, holder: string, now: number): boolean {
  const known = allowances.get(env) ?? new Map<string, Allowance>();
  allowances.set(env, known);
  return takeAllowance(known, `${kind} ${holder}`, now, ALLOWED[kind]);
}
