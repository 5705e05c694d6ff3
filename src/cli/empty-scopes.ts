import { type Client, KeyholeError } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { editDistance } from "./edit-distance.ts";
import { EXIT } from "./exit-code.ts";
import { note } from "./output.ts";

/** The option that makes an error of what {@link tellEmptyScopes} says. */
export const STRICT_ARG = {
  strict: { type: "boolean", description: "fail when a scope has no secrets and nobody has declared it, in place of a warning" },
} as const;

/** How many scopes are looked through for one that is spelled alike. */
const MOST = 2_000;

/**
 * Warns of scopes that nobody has declared and that hold no secret: one that is misspelled would silently leave its place
 * to a wider one. A scope that is spelled alike is named if the token may see it.
 *
 * @throws {CliError} in place of the warning, when it is `strict`.
 */
export async function tellEmptyScopes(client: Client, scopes: readonly string[], strict: boolean | undefined): Promise<void> {
  const known = await visibleScopes(client);
  const messages = scopes.map((scope) => {
    const near = known.filter((other) => isAlike(scope, other)).slice(0, 3);
    return `${scope} has no secrets${near.length > 0 ? `; did you mean ${near.join(" or ")}?` : ", and nobody has declared it"}`;
  });
  if (strict) throw new CliError(messages.join("; "), "scopes are case-sensitive; `keyhole scope put` declares one that is still empty", EXIT.notFound);
  for (const message of messages) note(`warning: ${message}`);
}

/** Whether one may have been meant for the other: of one kind, with another case, or up to two letters different. */
function isAlike(a: string, b: string): boolean {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()];
  return a !== b && one.split(":")[0] === other.split(":")[0] && Math.abs(a.length - b.length) <= 2 && editDistance(one, other) <= 2;
}

/** The same of a scope in which a list found nothing, if it is really one that is not there. */
export async function tellIfEmpty(client: Client, scope: string, strict: boolean | undefined): Promise<void> {
  const known = await visibleScopes(client);
  if (known.length < MOST && !known.includes(scope)) await tellEmptyScopes(client, [scope], strict);
}

/** The scopes that this token sees, as far as it may. */
async function visibleScopes(client: Client): Promise<string[]> {
  const seen: string[] = [];
  try {
    for await (const { scope } of client.scopes.listAll()) if (seen.push(scope) >= MOST) break;
  } catch (error) {
    // Whoever may only resolve sees none: then no other one is named.
    if (!(error instanceof KeyholeError)) throw error;
  }
  return seen;
}
