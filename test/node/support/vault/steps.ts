import type { Operation, Outcome } from "./vault-client.ts";

/** Who a step is done as: a job whose grant is for everything below `shop/`, or one that may only read there. */
export type Role = "writer" | "reader";

/** An operation, and what each client is to make of it. */
export interface Step {
  /** A login is told the role; the paths are below a folder of the client's own, unless they begin with `/`. */
  readonly operation: Exclude<Operation, { op: "login" }> | { readonly op: "login"; readonly role: Role };
  /** From Keyhole. */
  readonly expected: Outcome;
  /** From OpenBao, where that is something else. */
  readonly fromOpenBao?: Outcome;
  /** Clients that cannot do it. */
  readonly without?: readonly string[];
}

const MISMATCH = { status: 400, errors: ["check-and-set parameter did not match the current version"] };
const ABSENT = { status: 404 };
/** Clients are told when it was deleted. */
const DELETED = { status: 404, deleted: true };
const FORBIDDEN = { status: 403, errors: ["permission denied"] };
const FIRST = { USER: "u", PORT: 5432, TLS: { on: true, hosts: ["a", "b"] }, EMPTY: "", ".dockerconfigjson": "{}" };
const SECOND = { USER: "v", KEEP: "k" };
const THIRD = { ...SECOND, MORE: "m" };
const OWNER = { owner: "team-a" };

function present(version: number): Outcome {
  return { data: THIRD, version, custom: OWNER };
}

/** What people do with a key-value store, from a login to the end of a secret. */
export const STEPS: readonly Step[] = [
  { operation: { op: "health" }, expected: { initialized: true, sealed: false } },
  { operation: { op: "login", role: "writer" }, expected: { renewable: false } },
  { operation: { op: "self" }, expected: { type: "batch" } },

  { operation: { op: "get", path: "app" }, expected: ABSENT },
  { operation: { op: "list", path: "" }, expected: ABSENT },
  { operation: { op: "put", path: "app", data: FIRST, cas: 0 }, expected: { version: 1 } },
  { operation: { op: "put", path: "app", data: SECOND, cas: 0 }, expected: MISMATCH },
  { operation: { op: "get", path: "app" }, expected: { data: FIRST, version: 1, custom: null } },
  { operation: { op: "put", path: "app", data: SECOND, cas: 1 }, expected: { version: 2 } },
  { operation: { op: "put", path: "app", data: FIRST, cas: 1 }, expected: MISMATCH },
  { operation: { op: "get", path: "app" }, expected: { data: SECOND, version: 2, custom: null } },
  { operation: { op: "patch", path: "app", data: { MORE: "m" } }, expected: { version: 3 } },
  { operation: { op: "get", path: "app" }, expected: { data: THIRD, version: 3, custom: null } },

  { operation: { op: "put", path: "deep/b", data: { A: "1", B: "2" } }, expected: { version: 1 } },
  { operation: { op: "list", path: "" }, expected: { keys: ["app", "deep/"] } },
  { operation: { op: "list", path: "deep/" }, expected: { keys: ["b"] } },
  { operation: { op: "patch", path: "deep/b", data: { A: null, C: "3" } }, expected: { version: 2 }, without: ["hvac"] },
  { operation: { op: "get", path: "deep/b" }, expected: { data: { B: "2", C: "3" }, version: 2, custom: null }, without: ["hvac"] },

  { operation: { op: "put-metadata", path: "app", custom: OWNER }, expected: {} },
  { operation: { op: "get", path: "app" }, expected: { data: THIRD, version: 3, custom: OWNER } },
  { operation: { op: "metadata", path: "app" }, expected: { current: 3, custom: OWNER, versions: { 1: "there", 2: "there", 3: "there" } } },

  { operation: { op: "delete", path: "app" }, expected: {} },
  { operation: { op: "get", path: "app" }, expected: DELETED },
  { operation: { op: "undelete", path: "app", versions: [3] }, expected: {} },
  // Each write is a version: a delete was the fourth, and its end the fifth.
  { operation: { op: "get", path: "app" }, expected: present(5), fromOpenBao: present(3) },

  { operation: { op: "delete-versions", path: "app", versions: [1] }, expected: {} },
  { operation: { op: "get", path: "app" }, expected: present(5), fromOpenBao: present(3) },
  { operation: { op: "delete-versions", path: "app", versions: [3, 5] }, expected: {} },
  { operation: { op: "get", path: "app" }, expected: DELETED },
  { operation: { op: "undelete", path: "app", versions: [3, 5] }, expected: {} },
  { operation: { op: "get", path: "app" }, expected: present(7), fromOpenBao: present(3) },

  { operation: { op: "put", path: "app", data: SECOND }, expected: { version: 8 }, fromOpenBao: { version: 4 } },
  { operation: { op: "destroy", path: "app", versions: [3] }, expected: {} },
  {
    operation: { op: "metadata", path: "app" },
    // What was written third is in no secret any more: the last write left it out.
    expected: { current: 8, custom: OWNER, versions: { 1: "there", 2: "there", 8: "there" } },
    fromOpenBao: { current: 4, custom: OWNER, versions: { 1: "deleted", 2: "there", 3: "destroyed", 4: "there" } },
  },
  { operation: { op: "delete-metadata", path: "app" }, expected: {} },
  { operation: { op: "get", path: "app" }, expected: ABSENT },
  { operation: { op: "metadata", path: "app" }, expected: ABSENT },

  { operation: { op: "get", path: "/elsewhere/app" }, expected: FORBIDDEN },
  { operation: { op: "put", path: "/elsewhere/app", data: SECOND }, expected: FORBIDDEN },
  // A list shows what the grant covers.
  { operation: { op: "list", path: "/elsewhere/" }, expected: ABSENT, fromOpenBao: FORBIDDEN },

  { operation: { op: "login", role: "reader" }, expected: { renewable: false } },
  { operation: { op: "list", path: "" }, expected: { keys: ["deep/"] } },
  { operation: { op: "put", path: "deep/b", data: SECOND }, expected: FORBIDDEN },
  { operation: { op: "delete", path: "deep/b" }, expected: FORBIDDEN },
];
