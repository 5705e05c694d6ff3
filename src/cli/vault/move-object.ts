import { type Client, KeyholeError } from "../../client/create-client.ts";
import type { ImportObjectReply, ObjectMember } from "../../contract/import-object.ts";
import type { Scope } from "../../contract/scope.ts";
import { checkMembers } from "./check-members.ts";
import type { Mount } from "./find-mount.ts";
import type { Vault } from "./open-vault.ts";
import { readObject, type VaultObject } from "./read-object.ts";

/** What is said of a key: of the Vault's value beside Keyhole's, or why it cannot be taken. */
export type KeyState = "new" | "same" | "different" | "cannot";

/** A key of an object, and what is said of it. Never its value. */
interface MovedKey {
  readonly key: string;
  readonly state: KeyState;
  readonly reason?: string | undefined;
}

/** What became of an object, or would. */
export interface MovedObject {
  readonly path: string;
  readonly scope: Scope | null;
  /** Written as a whole, or not at all: nothing to write, nothing there, something that differs, something that cannot be taken. */
  readonly state: "written" | "same" | "nothing" | "different" | "cannot";
  /** Why, where that holds for all of it. */
  readonly reason?: string | undefined;
  readonly keys: readonly MovedKey[];
  /** Whether the Vault deletes it by itself one day, which does not come along. */
  readonly expires?: boolean;
}

/** From where to where, and how. */
export interface Move {
  readonly vault: Vault;
  readonly mount: Mount;
  readonly client: Client;
  readonly dryRun: boolean;
  /** Whether a value takes the place of a different one. */
  readonly overwrite: boolean;
}

/** What Keyhole says of one object that says nothing of the others. */
const OF_THE_OBJECT: ReadonlySet<string> = new Set([
  ...["invalid-request", "forbidden", "env-name-conflict", "body-too-large", "value-too-large", "too-many-secrets"],
  ...["quota-exceeded", "name-locked", "version-conflict"],
]);

/** Moves the current version of an object, in one transaction, or says what would come of it. */
export async function moveObject(move: Move, { path, scope }: { path: string; scope: Scope }): Promise<MovedObject> {
  const object = await readObject(move.vault, move.mount, path);
  if (!object.found) return { path, scope, state: object.refused ? "cannot" : "nothing", reason: object.reason, keys: [] };
  if (object.members.length === 0) return { path, scope, state: "nothing", reason: "it has no keys", keys: [] };
  return { path, scope, ...(await importInto(move, scope, object)), ...(object.deletedLater !== undefined && { expires: true }) };
}

type Outcome = Pick<MovedObject, "state" | "reason" | "keys">;

async function importInto({ client, dryRun, overwrite }: Move, scope: Scope, object: VaultObject & { found: true }): Promise<Outcome> {
  const { members, faults } = checkMembers(object.members);
  const cannot = [...faults].map(([key, reason]): MovedKey => ({ key, state: "cannot", reason }));
  const taken = members.filter(({ key }) => !faults.has(key));
  if (taken.length === 0) return { state: "cannot", keys: cannot };
  const customMetadata = Object.keys(object.customMetadata).length > 0 ? object.customMetadata : undefined;
  try {
    // Nothing is written of an object of which something cannot be: what comes of the rest is said all the same.
    const reply = await client.secrets.importObject(scope, taken, { customMetadata, overwrite, dryRun: dryRun || cannot.length > 0 });
    return { state: cannot.length > 0 ? "cannot" : stateOf(reply, overwrite), keys: [...keysOf(reply), ...cannot] };
  } catch (error) {
    if (!(error instanceof KeyholeError) || !OF_THE_OBJECT.has(error.code)) throw error;
    return { state: "cannot", reason: error.message, keys: [...keysAt(error, taken), ...cannot] };
  }
}

function stateOf(reply: ImportObjectReply, overwrite: boolean): MovedObject["state"] {
  const states = [...keysOf(reply)].map(({ state }) => state);
  if (states.includes("different") && !overwrite) return "different";
  return states.every((state) => state === "same") ? "same" : "written";
}

/** What a key is called that stands for the object's own metadata. */
const CUSTOM_METADATA = "(custom_metadata)";

function keysOf(reply: ImportObjectReply): MovedKey[] {
  const keys = (["new", "same", "different"] as const).flatMap((state) => reply[state].map((key) => ({ key, state })));
  return reply.custom_metadata === null ? keys : [...keys, { key: CUSTOM_METADATA, state: reply.custom_metadata }];
}

/** The keys of which the service says that they are wrong, by their places in what was sent. */
function keysAt({ members: { errors = [] } }: KeyholeError, sent: readonly ObjectMember[]): MovedKey[] {
  return errors.flatMap(({ pointer, detail }) => {
    const key = sent[Number(/^\/members\/(\d+)/.exec(pointer)?.[1])]?.key;
    return key === undefined ? [] : [{ key, state: "cannot" as const, reason: detail }];
  });
}
