import type { Context } from "hono";
import { keyOfName } from "../../../contract/object-key.ts";
import { Problem, storageUnavailable } from "../../../contract/problem.ts";
import { releaseSecrets } from "../../secrets/release-secrets.ts";
import type { ResolveRequest } from "../../secrets/resolution-query.ts";
import type { HonoEnv } from "../hono-env.ts";
import type { RequestNeeds } from "../needs-of.ts";
import { selectLeased } from "../select-leased.ts";
import { type VaultForm, vaultContent } from "./vault-content.ts";
import { requireCurrent } from "./version-asked.ts";

/** Resolves for this front, strictly, or under a lease where the request asks for one. */
export async function readValues(
  c: Context<HonoEnv>,
  needs: RequestNeeds,
  request: ResolveRequest,
  form: VaultForm,
  version: number | undefined,
): Promise<Response> {
  const { selection, lease } = await selectLeased(c, needs, request);
  if (selection.secrets.length === 0) throw nothingFound(selection.unavailable);
  const text = await releaseSecrets(needs, selection, async (release) => {
    // What cannot be had now is there: whoever keeps a copy must not take it for gone.
    const late = release.unavailable.filter(({ reason }) => reason !== "name-locked");
    if (release.secrets.length === 0 || late.length > 0) throw nothingFound(late);
    const content = await vaultContent(form, release, c.get("requestId"));
    requireCurrent(c.get("caller"), version, content.version);
    // An answer in which something cannot be had is not given again.
    if (release.unavailable.length === 0) lease?.keep(form);
    return content.text;
  });
  return c.body(text, 200, { "Content-Type": "application/json", ...(lease && { Age: "0" }) });
}

/** Where all that there is cannot be had, a client must not take it for nothing. */
function nothingFound(unavailable: readonly { readonly name: string }[]): Problem {
  if (unavailable.length === 0) return new Problem("secret-not-found", "There is nothing here.");
  return storageUnavailable(`These cannot be had now: ${unavailable.map(({ name }) => keyOfName(name)).join(", ")}.`);
}
