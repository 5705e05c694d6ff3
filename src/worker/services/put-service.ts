import type { Problem } from "../../contract/problem.ts";
import type { PutServiceBody } from "../../contract/service.ts";
import type { Caller } from "../access/caller.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type ServiceRow, selectService, upsertService } from "../store/service-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { sealAgain, sealFor, type Verified, verifyRow } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { couldMake } from "./covers-service.ts";
import { type DefinitionNeeds, planDefinition } from "./plan-definition.ts";
import { type FoundService, foundOf } from "./read-services.ts";

/** What a verb that makes a service needs. */
export type PutServiceNeeds = QuotaNeeds & DefinitionNeeds & { readonly platformOrg: string | null };

/**
 * Makes a service, or replaces one that its caller could have made. That a value goes where it says is decided by the secret's own
 * hosts, at each use.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `write-conflict`, `quota-exceeded`, `rate-limited`, `storage-unavailable`.
 */
export async function putService(
  needs: PutServiceNeeds,
  caller: Caller,
  name: string,
  body: PutServiceBody,
): Promise<FoundService & { readonly created: boolean }> {
  caller.require("services:write");
  const definition = planDefinition(needs, body, caller.org === needs.platformOrg);
  if (!couldMake(caller, name, definition)) throw refusal(caller);
  const wanted = { org: caller.org, name, preset: body.preset ?? null, definition: JSON.stringify(definition) };
  const recorded = { action: "service.put", secrets: [], target: name } as const;
  return retryWhenChanged(async () => {
    const was = await findOwn(needs, caller, name);
    const { db, keyring, now } = await allowSealing(needs);
    const guard = requireUnchanged(db, "services", caller.org, name, was);
    if (was && was.definition === wanted.definition && was.preset === wanted.preset) {
      await writeForCaller(needs, caller, [guard], recorded);
      return { ...foundOf(caller, was), created: false };
    }
    const by = { updated_at: now.getTime(), updated_by: caller.subject };
    const made = was ? { created_at: was.created_at, created_by: was.created_by } : { created_at: by.updated_at, created_by: by.updated_by };
    const row = { ...wanted, ...made, ...by, revision: (was?.revision ?? 0) + 1 };
    const sealed = { ...row, seal: was ? await sealAgain(keyring, "services", was, row) : await sealFor(keyring, "services", row) };
    await writeWithinQuota(needs, caller, { kept: was ? [] : ["services"], made: 1 }, ({ before, after }) =>
      writeForCaller(needs, caller, [guard, before, upsertService(db, sealed), after], recorded),
    );
    return { ...foundOf(caller, sealed as Verified<ServiceRow>), created: !was };
  });
}

/**
 * The organization's own service of a name, if it has one. One that reaches further than the caller is not the caller's to change.
 *
 * @throws {Problem} `forbidden`, `integrity-failed`, `storage-unavailable`.
 */
export async function findOwn({ db, keyring }: CallerNeeds, caller: Caller, name: string): Promise<Verified<ServiceRow> | undefined> {
  const [found] = await readForCaller({ db, keyring }, caller, [selectService(db, caller.org, null, name)]);
  const [stored] = rowsOf<ServiceRow>(found);
  if (!stored) return undefined;
  const row = await verifyRow(keyring, "services", stored);
  if (!couldMake(caller, name, foundOf(caller, row).definition)) throw refusal(caller);
  return row;
}

function refusal(caller: Caller): Problem {
  return caller.refuse(
    "services:write",
    "The token's grant does not cover the service: its name, every scope that it searches, and every secret that it uses.",
  );
}
