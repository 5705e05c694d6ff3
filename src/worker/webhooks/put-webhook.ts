import type { WebhookDefinition } from "../../contract/webhook.ts";
import type { Caller } from "../access/caller.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { beginAnew, upsertWebhook, type WebhookRow } from "../store/webhook-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { newId } from "../transaction/new-id.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { sealAgain, sealFor, type Verified } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { type FoundWebhook, findWebhook, foundOf, getWebhook } from "./read-webhooks.ts";
import { newSecret, openSigning, type Signing, sealSigning } from "./signing.ts";
import { type AddressNeeds, judgeAddress } from "./webhook-address.ts";
import { isToldTheSame, makerOf, requireAllOf, requireEvents } from "./webhook-maker.ts";

/** A webhook that was made or changed, and its new secret where it has one. */
export type MadeWebhook = FoundWebhook & { readonly created: boolean; readonly secret: string | undefined };

/** For how long messages are signed with the secret of before, too, in milliseconds. */
const OVERLAP = 86_400_000;

/**
 * Makes a webhook, or replaces one whose events its caller may be told of: the caller is its maker from then on. With another address it has another secret, so that
 * nobody who knew the one of before can be told by it; and what was found for one with another address, or another grant, is told to nobody.
 *
 * @param own The deployment's own address.
 * @throws {Problem} `forbidden`, `invalid-request`, `write-conflict`, `quota-exceeded`, `rate-limited`, `integrity-failed`, `storage-unavailable`.
 */
export async function putWebhook(
  needs: QuotaNeeds & AddressNeeds,
  caller: Caller,
  name: string,
  definition: WebhookDefinition,
  own: string,
): Promise<MadeWebhook> {
  requireEvents(caller, definition);
  judgeAddress(needs, own, definition.url);
  return retryWhenChanged(async () => {
    const was = await findWebhook(needs, caller, name);
    if (was) requireEvents(caller, was.definition);
    const secret = was?.definition.url === definition.url ? undefined : newSecret();
    return write(
      needs,
      caller,
      name,
      was,
      { definition: JSON.stringify({ ...definition, own }), maker: JSON.stringify(makerOf(caller)) },
      secret === undefined ? undefined : { current: secret, previous: null },
    );
  });
}

/**
 * Gives a webhook another secret, for a caller who may read all that it tells of. For a day messages are signed with both, so that receivers have the time to change.
 *
 * @throws {Problem} `forbidden`, `webhook-not-found`, `write-conflict`, `rate-limited`, `integrity-failed`, `storage-unavailable`.
 */
export async function rotateWebhook(needs: QuotaNeeds, caller: Caller, name: string): Promise<MadeWebhook> {
  caller.require("webhooks:write");
  return retryWhenChanged(async () => {
    const was = await getWebhook(needs, caller, name);
    requireAllOf(caller, was);
    const before = await openSigning(needs.keyring, was.row);
    const previous = before ? { secret: before.current, until: needs.now.getTime() + OVERLAP } : null;
    const { definition, maker } = was.row;
    return write(needs, caller, name, was, { definition, maker }, { current: newSecret(), previous });
  });
}

async function write(
  needs: QuotaNeeds,
  caller: Caller,
  name: string,
  found: FoundWebhook | undefined,
  said: Pick<WebhookRow, "definition" | "maker">,
  signing: Signing | undefined,
): Promise<MadeWebhook> {
  const was = found?.row;
  const { db, keyring, now } = await allowSealing(needs);
  const guard = requireUnchanged(db, "webhooks", caller.org, name, was);
  if (found && was?.definition === said.definition && was.maker === said.maker && !signing) {
    await writeForCaller(needs, caller, [guard], { action: "webhook.put", secrets: [], target: name });
    return { ...found, created: false, secret: undefined };
  }
  const by = { updated_at: now.getTime(), updated_by: caller.subject };
  const made = was ? { created_at: was.created_at, created_by: was.created_by } : { created_at: by.updated_at, created_by: by.updated_by };
  const named = { org: caller.org, name, signing_id: signing || !was ? newId("whs") : was.signing_id };
  const text = signing || !was ? await sealSigning(keyring, named, signing ?? { current: newSecret(), previous: null }) : was.signing;
  const row = { ...named, ...said, ...made, ...by, signing: text, revision: (was?.revision ?? 0) + 1 };
  const sealed = { ...row, seal: was ? await sealAgain(keyring, "webhooks", was, row) : await sealFor(keyring, "webhooks", row) };
  const written = foundOf(sealed as Verified<WebhookRow>);
  const anew = found && !isToldTheSame(found, written) ? beginAnew(db, caller.org, name, now.getTime()) : [];
  await writeWithinQuota(needs, caller, { kept: was ? [] : ["webhooks"], made: 1 }, ({ before, after }) =>
    writeForCaller(needs, caller, [guard, before, ...upsertWebhook(db, sealed, now.getTime()), ...anew, after], {
      action: "webhook.put",
      secrets: [],
      target: name,
    }),
  );
  return { ...written, created: !was, secret: signing?.current };
}
