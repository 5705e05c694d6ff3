import type { Context } from "hono";
import { keyOfName } from "../../../contract/object-key.ts";
import { Problem, storageUnavailable } from "../../../contract/problem.ts";
import type { Unavailable } from "../../../contract/unavailable.ts";
import { namedKeys } from "../../objects/named-keys.ts";
import { objectState } from "../../objects/object.ts";
import { releaseSecrets } from "../../secrets/release-secrets.ts";
import type { ResolveRequest } from "../../secrets/resolution-query.ts";
import { leaseOfRelease } from "../../secrets/resolve-leased.ts";
import type { Selection } from "../../secrets/selection.ts";
import type { HonoEnv } from "../hono-env.ts";
import type { RequestNeeds } from "../needs-of.ts";
import { selectLeased } from "../select-leased.ts";
import { vaultDeleted } from "./vault-answer.ts";
import { type VaultForm, vaultContent } from "./vault-content.ts";
import { deletionFacts } from "./vault-reply.ts";
import { isAsked, requireCurrent } from "./version-asked.ts";

/** Resolves for this front, strictly, or under a lease where the request asks for one. */
export async function readValues(
  c: Context<HonoEnv>,
  needs: RequestNeeds,
  request: ResolveRequest,
  form: VaultForm,
  version: number | undefined,
): Promise<Response> {
  const { selection, lease } = await selectLeased(c, needs, request);
  if (selection.secrets.length === 0) {
    const deleted = deletedObject(form, selection);
    if (deleted && isAsked(version, deleted.version)) return vaultDeleted(c, "data", deleted);
    throw nothingFound(selection.unavailable);
  }
  const { text, isLeased } = await releaseSecrets(needs, selection, async (release) => {
    // What cannot be had now is there: whoever keeps a copy must not take it for gone.
    const late = release.unavailable.filter(({ reason }) => reason !== "name-locked");
    if (release.secrets.length === 0 || late.length > 0) throw nothingFound(late);
    const content = await vaultContent(form, release, c.get("requestId"));
    requireCurrent(c.get("caller"), "secrets:resolve", version, content.version);
    // An answer in which something cannot be had is not given again.
    if (release.unavailable.length === 0) await lease?.keep(form, release.secrets);
    return { text: content.text, isLeased: leaseOfRelease(lease, release.secrets, needs.now) !== null };
  });
  return c.body(text, 200, { "Content-Type": "application/json", ...(isLeased && { Age: "0" }) });
}

/** How an object is of which nothing is left; `undefined` where that is not so, or more than the grant covers. */
function deletedObject(form: VaultForm, { object, expired, unavailable }: Selection) {
  if (form.of !== "vault-object" || form.secretNames !== null || expired.length > 0 || unavailable.length > 0) return undefined;
  return deletionFacts(objectState(object));
}

/** Where all that there is cannot be had, a client must not take it for nothing. */
function nothingFound(unavailable: readonly Unavailable[]): Problem {
  if (unavailable.length === 0) return new Problem("secret-not-found", "There is nothing here.");
  // A lock stays until somebody takes it away: to try again is of no use, so it is no failure of the store.
  if (unavailable.every(({ reason }) => reason === "name-locked"))
    return new Problem("name-locked", `Locked by a wider scope: ${namedKeys(unavailable)}. What is locked wins over every narrower scope.`);
  return storageUnavailable(`These cannot be had now: ${unavailable.map(({ name }) => keyOfName(name)).join(", ")}.`);
}
