import * as z from "zod";
import type { Mount } from "./find-mount.ts";
import type { Vault } from "./open-vault.ts";
import { parseReply } from "./parse-reply.ts";

/** The paths of objects below a prefix, sorted, and what could not be listed, with why. */
export interface Tree {
  readonly paths: readonly string[];
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

/** How many names one answer holds at most, where the Vault lists in pages (OpenBao does; Vault answers all at once). */
const PAGE = 1_000;
/** How deep a path may be: a list that leads into itself has an end. */
const DEEPEST = 100;
/** How many lists are asked for at once. */
const AT_ONCE = 8;

const listSchema = z.object({ data: z.object({ keys: z.array(z.string()) }) });

/** Walks a tree by its lists. A part that the token may not list is named, and the rest is walked. */
export async function walkTree(vault: Vault, mount: Mount, prefix: readonly string[], tell: (found: number) => void): Promise<Tree> {
  const [paths, refused]: [string[], { path: string; reason: string }[]] = [[], []];
  const left: (readonly string[])[] = [prefix];
  while (left.length > 0) {
    const some = left.splice(-AT_ONCE);
    const lists = await Promise.all(some.map((folder) => listFolder(vault, mount, folder)));
    for (const [n, keys] of lists.entries()) {
      const folder = some[n] ?? [];
      if (keys === undefined) refused.push({ path: `${folder.join("/")}/`, reason: "the Vault does not let this token list it" });
      else for (const key of keys) visit(folder, key);
    }
    tell(paths.length);
  }
  return { paths: paths.sort(), refused };

  function visit(folder: readonly string[], key: string): void {
    const name = key.replace(/\/$/, "");
    const below = [...folder, name];
    if (name === "" || name === "." || name === ".." || name.includes("/"))
      refused.push({ path: [...folder, key].join("/"), reason: "no request can name it" });
    else if (!key.endsWith("/")) paths.push(below.join("/"));
    else if (below.length < DEEPEST) left.push(below);
    else refused.push({ path: `${below.join("/")}/`, reason: `it is more than ${DEEPEST} folders deep` });
  }
}

/** The names in a folder; `undefined` where the token may not know them. A name that ends with `/` is a folder. */
async function listFolder(vault: Vault, mount: Mount, folder: readonly string[]): Promise<string[] | undefined> {
  const segments = [...mount.segments, ...(mount.version === "2" ? ["metadata"] : []), ...folder];
  const found = new Set<string>();
  for (let last: string | undefined; ; ) {
    // As the clients of Vault itself list: the method LIST does not pass everything that stands before a Vault.
    const query = { list: "true", limit: String(PAGE), ...(last !== undefined && { after: last }) };
    const reply = await vault.read(segments, query);
    if (reply.status === 403) return undefined;
    const keys = reply.status === 404 ? [] : parseReply(listSchema, reply.text, vault.host).data.keys;
    const before = found.size;
    for (const key of keys) found.add(key);
    last = keys.at(-1);
    // What knows of no pages has answered all at once, or answers the same again.
    if (keys.length !== PAGE || found.size === before) return [...found];
  }
}
