import { type Client, KeyholeError } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { editDistance } from "./edit-distance.ts";
import { EXIT } from "./exit-code.ts";
import { note } from "./output.ts";
import type { Session } from "./session.ts";
import { claimsPermission } from "./token-claims.ts";

/** The option that makes an error of what {@link tellEmptyScopes} says. */
export const STRICT_ARG = {
  strict: { type: "boolean", description: "fail when a scope has no secrets and nobody has declared it, in place of a warning" },
} as const;

/** How many scopes are looked through for one that a list was of. */
const MOST = 2_000;

/** Where a scope that is spelled alike is looked for. */
type Asked = Pick<Session, "client" | "held">;

/**
 * Warns of scopes that nobody has declared and that hold no secret: one that is misspelled would silently leave its place
 * to a wider one. A scope that is spelled alike is named if the token may see it, and there is somebody to ask.
 *
 * @throws {CliError} in place of the warning, when it is `strict`.
 */
export async function tellEmptyScopes(asked: Asked | undefined, scopes: readonly string[], strict: boolean | undefined): Promise<void> {
  tellUndeclared(scopes, asked ? await firstScopes(asked) : [], strict);
}

/** The same of a scope in which a list found nothing, if it is really one that is not there. */
export async function tellIfEmpty(client: Client, scope: string, strict: boolean | undefined): Promise<void> {
  const known: string[] = [];
  for await (const { scope } of client.scopes.listAll()) if (known.push(scope) >= MOST) return;
  if (!known.includes(scope)) tellUndeclared([scope], known, strict);
}

/**
 * Warns of scopes that hold nothing, and names what is spelled alike of those that are known.
 *
 * @throws {CliError} in place of the warning, when it is `strict`.
 */
export function tellUndeclared(scopes: readonly string[], known: readonly string[], strict: boolean | undefined): void {
  const messages = scopes.map((scope) => {
    const near = known.filter((other) => isAlike(scope, other)).slice(0, 3);
    return `${scope} has no secrets${near.length > 0 ? `; did you mean ${near.join(" or ")}?` : ", and nobody has declared it"}`;
  });
  if (strict && messages.length > 0)
    throw new CliError(messages.join("; "), "scopes are case-sensitive; `keyhole scope put` declares one that is still empty", EXIT.notFound);
  for (const message of messages) note(`warning: ${message}`);
}

/** Whether one may have been meant for the other: of one kind, with another case, or up to two letters different. */
function isAlike(a: string, b: string): boolean {
  const [one, other] = [a.toLowerCase(), b.toLowerCase()];
  return a !== b && one.split(":")[0] === other.split(":")[0] && Math.abs(a.length - b.length) <= 2 && editDistance(one, other) <= 2;
}

/** The first page of the scopes that this token sees. One that does not say that it may see them would leave a refusal in the audit log. */
async function firstScopes({ client, held }: Asked): Promise<string[]> {
  if (!claimsPermission(held(), "secrets:read")) return [];
  try {
    return (await client.scopes.list({ limit: 200 })).scopes.map(({ scope }) => scope);
  } catch (error) {
    // What a token says of itself is not all that counts: then no other scope is named.
    if (!(error instanceof KeyholeError)) throw error;
    return [];
  }
}
