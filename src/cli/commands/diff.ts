import { createHash, timingSafeEqual } from "node:crypto";
import { type Client, KeyholeError, type ResolveReply, type SecretBody } from "../../client/create-client.ts";
import { command } from "../define-command.ts";
import { tellIfEmpty } from "../empty-scopes.ts";
import { EXIT } from "../exit-code.ts";
import { note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { requireScope } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** How many names one resolve asks for. */
const AT_ONCE = 100;

/** How a name compares in two scopes. `both`: it is in both, and the values were not compared. */
type Difference = "only left" | "only right" | "same" | "different" | "both" | "not compared";

/** `keyhole diff`. */
export const diff = command({
  description: "Compare the names of two scopes; with --values whether their values are the same, which prints none of them. Exit code 1 where they differ",
  examples: ["keyhole diff namespace:staging namespace:prod", "keyhole diff namespace:staging namespace:prod --values"],
  args: {
    left: { type: "positional", suggests: "scope", description: "a scope" },
    right: { type: "positional", suggests: "scope", description: "the one to compare it with" },
    values: { type: "boolean", description: "compare values too: both are resolved, which is on record, and compared on this machine" },
  },
  async run({ left, right, values, profile, insecure, json }) {
    const scopes = [requireScope(left), requireScope(right)] as const;
    const { client } = await openSession({ profile, insecure });
    const [a, b] = [await namesIn(client, scopes[0]), await namesIn(client, scopes[1])];
    for (const [scope, names] of [[scopes[0], a] as const, [scopes[1], b] as const]) if (names.size === 0) await tellIfEmpty(client, scope, false);
    const common = [...a].filter((name) => b.has(name));
    const hashes = values ? await Promise.all(scopes.map((scope) => hashesIn(client, scope, common))) : undefined;
    const of = (name: string): Difference => {
      if (!b.has(name)) return "only left";
      if (!a.has(name)) return "only right";
      const [one, other] = [hashes?.[0]?.get(name), hashes?.[1]?.get(name)];
      if (hashes === undefined) return "both";
      if (one === undefined || other === undefined) return "not compared";
      return timingSafeEqual(one, other) ? "same" : "different";
    };
    const found = [...new Set([...a, ...b])].sort().map((name) => ({ name, is: of(name) }));
    const text = {
      "only left": `only in ${left}`,
      "only right": `only in ${right}`,
      both: "in both",
      "not compared": "cannot be had: locked in a wider scope, expired, or not there now",
    } as const;
    if (json) printJson(found);
    else {
      const rows = found.map(({ name, is }) => [name, is === "same" || is === "different" ? is : text[is]]);
      printTable(["NAME", ""], rows, "Neither has a secret.");
    }
    const unknown = found.filter(({ is }) => is === "not compared").length;
    const differ = found.filter(({ is }) => is !== "same" && is !== "both").length - unknown;
    const also = unknown === 0 ? "" : ` ${unknown} could not be compared.`;
    if (!json) note(`${differ === 0 ? "No differences." : `${differ} of ${found.length} differ.`}${also}`);
    return differ + unknown === 0 ? EXIT.ok : EXIT.failed;
  },
});

async function namesIn(client: Client, scope: string): Promise<ReadonlySet<string>> {
  const names = new Set<SecretBody["name"]>();
  for await (const { name } of client.secrets.listAll({ scope })) names.add(name);
  return names;
}

/** Digests of the values that a scope itself has: nothing of the values stays. */
async function hashesIn(client: Client, scope: string, names: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const hashes = new Map<string, Buffer>();
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const { secrets } = await resolveUnlocked(client, scope, names.slice(from, from + AT_ONCE));
    for (const [name, { value, encoding }] of Object.entries(secrets))
      hashes.set(
        name,
        createHash("sha256")
          .update(Buffer.from(value, encoding === "base64" ? "base64" : "utf8"))
          .digest(),
      );
  }
  return hashes;
}

/** The values of a scope itself, but for the names that a wider one has locked: of these it has none to give. */
async function resolveUnlocked(client: Client, scope: string, names: readonly string[]): Promise<Pick<ResolveReply, "secrets">> {
  if (names.length === 0) return { secrets: {} };
  try {
    return await client.resolve({ scopes: [scope], names, inherit: false, allow_missing: true });
  } catch (error) {
    const locked = error instanceof KeyholeError && error.code === "name-locked" ? (error.members.locked ?? []) : [];
    const left = names.filter((name) => !locked.includes(name));
    if (left.length === names.length) throw error;
    return resolveUnlocked(client, scope, left);
  }
}
