import type { Client } from "../../client/create-client.ts";
import { CliError, usageError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { endProgress, progress } from "../output.ts";
import { requireWriting } from "../require-writing.ts";
import { findCredentials } from "./find-credentials.ts";
import { findMount, type KvVersion, type Mount } from "./find-mount.ts";
import { inParallel } from "./in-parallel.ts";
import { type Move, type MovedObject, moveObject } from "./move-object.ts";
import { openVault, type Vault } from "./open-vault.ts";
import { placePaths } from "./place-paths.ts";
import { readObject } from "./read-object.ts";
import { type Tree, walkTree } from "./walk-tree.ts";

/** What is to be imported, from where, and how. */
export interface TreeImport {
  readonly address: string;
  readonly mount: string;
  readonly version: KvVersion | undefined;
  /** The part of the tree; all of it where it is left out. */
  readonly path: string | undefined;
  /** Where paths go that are not to go, or cannot, where they would. */
  readonly placements: readonly string[];
  readonly overwrite: boolean;
  readonly dryRun: boolean;
  readonly insecure: boolean | undefined;
}

/** How many objects are on their way at once. */
const AT_ONCE = 4;

/**
 * Moves a tree, an object at a time. All paths are known, and placed, before the first of them is written.
 *
 * @param client Gives the Keyhole that it goes to, once it is known that there is something to move.
 * @param take Is given what became of each path, in no order.
 * @throws {CliError} for what concerns all of it. What was moved by then stays, and moving it again changes nothing.
 */
export async function importTree(given: TreeImport, openClient: () => Promise<Client>, take: (moved: MovedObject) => void): Promise<void> {
  const { address, path, placements, dryRun, overwrite, insecure } = given;
  const vault = openVault(address, findCredentials(), insecure);
  const client = await openClient();
  await requireWriting(client);
  const mount = await findMount(vault, given.mount, given.version);
  const tree = await findTree(vault, mount, path);
  const { placed, refused } = placePaths(tree.paths, placements);
  for (const { path, reason } of [...tree.refused, ...refused]) take({ path, scope: null, state: "cannot", reason, keys: [] });
  const move: Move = { vault, mount, client, dryRun, overwrite };
  let done = 0;
  await inParallel(placed, AT_ONCE, async (place) => {
    take(await moveObject(move, place));
    progress(`${dryRun ? "Comparing" : "Moving"}: ${++done} of ${placed.length}`);
  });
}

/** The paths of the tree, or of the part of it that a prefix names: what is at the prefix, and all below it. */
async function findTree(vault: Vault, mount: Mount, path: string | undefined): Promise<Tree> {
  const prefix = (path ?? "").split("/").filter((segment) => segment !== "");
  if (prefix.some((segment) => segment === "." || segment === "..")) throw usageError("--path is not a path of the mount", "for example --path team/app");
  const own = prefix.length > 0 ? await readObject(vault, mount, prefix.join("/")) : undefined;
  const below = await walkTree(vault, mount, prefix, (found) => progress(`Listing: ${found} found`));
  endProgress();
  const paths = [...(own?.found ? [prefix.join("/")] : []), ...below.paths];
  if (paths.length > 0) return { paths, refused: below.refused };
  const place = [...mount.segments, ...prefix].join("/");
  if (below.refused.length > 0 || (own?.found === false && own.refused))
    throw new CliError(
      `${vault.host} does not let this token list or read ${place}, or does not accept it`,
      "VAULT_TOKEN needs list and read there",
      EXIT.refused,
    );
  throw new CliError(`there is nothing in ${place}`, "`vault kv list` shows what there is; a namespace of the Vault comes from VAULT_NAMESPACE", EXIT.notFound);
}
