import { newUserCode } from "../../contract/oauth-client.ts";
import type { Permission } from "../../contract/permission.ts";
import { Problem } from "../../contract/problem.ts";
import { createCaller } from "../access/caller.ts";
import { networkOf } from "../access/network-of.ts";
import { takesSigner } from "../access/token-signer.ts";
import { type DeviceRow, decideDevice, insertDevice, noteAsked, selectDevice, selectDeviceOfUser, takeDevice } from "../store/device-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import type { Origin, SessionNeeds } from "./begin-session.ts";
import { type DeviceFacts, openDevice, type SessionFacts, sealDevice } from "./sealed-facts.ts";
import { hashOf, newSessionSecret } from "./session-secret.ts";

/** How long a program may wait, how long from one time that it asks to the next, and how much longer one that asks too soon. In milliseconds. */
export const DEVICE_TIME = 10 * 60_000;
export const DEVICE_PAUSE = 5_000;

/** What no device is let in for: it could make others that outlast it. */
const NEVER: ReadonlySet<Permission> = new Set(["tokens:write", "trusts:write", "keys:read", "keys:write"]);

/** A program that waits, by the codes that only it has. */
export interface WaitingDevice {
  readonly deviceCode: string;
  readonly userCode: string;
}

/**
 * Has a program wait for somebody to let it in (RFC 8628, section 3.1).
 *
 * @throws {Problem} `rate-limited` when too many wait, `storage-unavailable`.
 */
export async function waitForApproval(needs: SessionNeeds, { ip, userAgent }: Origin): Promise<WaitingDevice> {
  const { db, keyring, now } = await allowSealing(needs);
  const [deviceCode, userCode] = [newSessionSecret(), newUserCode()];
  const [hash, user_hash] = await Promise.all([hashOf(deviceCode), hashOf(userCode)]);
  const askedAt = now.getTime();
  const expiresAt = askedAt + DEVICE_TIME;
  const sealed = await sealDevice(keyring, { hash, user_hash }, { ip, userAgent, askedAt, expiresAt });
  const row = { hash, user_hash, network: networkOf(ip) ?? "", sealed, decided: 0, ask_at: askedAt, pause: DEVICE_PAUSE, expires_at: expiresAt } as const;
  const [, inserted] = await runBatch(db, insertDevice(db, row, askedAt));
  if (rowsOf(inserted).length === 0)
    throw new Problem("rate-limited", "Too many programs wait to be let in; wait and try again.", { headers: { "Retry-After": "60" } });
  return { deviceCode, userCode };
}

/** A program that waits, as its user is shown it. */
export interface ShownDevice extends DeviceFacts {
  readonly row: DeviceRow;
}

/**
 * The program that shows a code to its user, and waits.
 *
 * @returns `undefined` where no such program waits any more.
 * @throws {Problem} `storage-unavailable`.
 */
export async function findDevice({ db, keyring, now }: SessionNeeds, userCode: string): Promise<ShownDevice | undefined> {
  const [found] = await runBatch(db, [selectDeviceOfUser(db, await hashOf(userCode))]);
  const [row] = rowsOf<DeviceRow>(found);
  const device = row && (await openDevice(keyring, row, row.sealed));
  return device && device.facts === undefined && device.expiresAt > now.getTime() ? { ...device, row } : undefined;
}

/** What a device gets of what a session has: everything but what makes others, and the keys. */
export function deviceFacts(facts: SessionFacts): SessionFacts {
  return { ...facts, permissions: new Set([...facts.permissions].filter((permission) => !NEVER.has(permission))) };
}

/**
 * Decides about a program that waits, once.
 *
 * @param facts Whose session decides.
 * @returns Whether it waited still.
 * @throws {Problem} `unauthenticated` when the session's token is not in force, `storage-unavailable`.
 */
export async function decideAbout(needs: SessionNeeds, origin: Origin, device: ShownDevice, facts: SessionFacts, approved: boolean): Promise<boolean> {
  const caller = createCaller({ ...facts, ...origin });
  const { db, keyring } = await allowSealing(needs);
  const { row, ...rest } = device;
  const sealed = await sealDevice(keyring, row, { ...rest, facts: approved ? deviceFacts(facts) : null });
  const [decided] = await runForCaller(needs, caller, [decideDevice(db, row.hash, sealed)]);
  return rowsOf(decided).length === 1;
}

/** What a program that asks is told (RFC 8628, section 3.5). */
export type DeviceAnswer =
  | { readonly facts: SessionFacts; readonly device: DeviceFacts }
  | "authorization_pending"
  | "slow_down"
  | "access_denied"
  | "expired_token";

/**
 * What was decided about a program. Of what was decided it is told once, and nobody else.
 *
 * @returns `expired_token` for a code that is none, too.
 * @throws {Problem} `storage-unavailable`.
 */
export async function askAboutDevice(needs: SessionNeeds, deviceCode: string): Promise<DeviceAnswer> {
  const { db, keyring, now } = needs;
  const hash = await hashOf(deviceCode);
  const at = now.getTime();
  const [found, , taken] = await runBatch(db, [selectDevice(db, hash), noteAsked(db, hash, at, DEVICE_PAUSE), takeDevice(db, hash)]);
  const [before] = rowsOf<DeviceRow>(found);
  if (!before || before.expires_at <= at) return "expired_token";
  const [row] = rowsOf<DeviceRow>(taken);
  if (!row) return before.ask_at > at ? "slow_down" : "authorization_pending";
  const device = await openDevice(keyring, row, row.sealed);
  if (!device || device.expiresAt <= at || device.facts === undefined) return "expired_token";
  if (device.facts === null) return "access_denied";
  return takesSigner(needs, device.facts.signer) ? { facts: device.facts, device } : "expired_token";
}
