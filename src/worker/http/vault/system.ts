import type { Context } from "hono";
import * as z from "zod";
import { invalid } from "../../../contract/problem.ts";
import {
  vaultCapabilitiesReplySchema,
  vaultCapabilitiesSchema,
  vaultHealthSchema,
  vaultLeaderSchema,
  vaultMountReplySchema,
  vaultMountsReplySchema,
  vaultSealStatusSchema,
  vaultUiMountsReplySchema,
} from "../../../contract/vault.ts";
import { identifyCaller } from "../../grants/identify-caller.ts";
import { json } from "../docs/responses.ts";
import type { HonoEnv } from "../hono-env.ts";
import { configure } from "../middleware/configure.ts";
import { publicRoute } from "../operation.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { vaultReply } from "./vault-answer.ts";
import { pathParameter, vaultOperation } from "./vault-operation.ts";
import { namedSegments } from "./vault-path.ts";
import { vaultReplyText } from "./vault-reply.ts";

const tag = "System";

/** Of Vault, as clients ask for it: they look for what a server of this version can do. A plain number, because Terraform's provider fails on another. */
const VERSION = "1.17.0";

/** The mounts that there are, each a key-value store of the second version: otherwise command lines take them for the first. */
const MOUNTS = {
  "secret/": "A scope as one object.",
  "kv/": "One secret: value and key are both its value.",
  "env/": "What a scope resolves to, by environment name.",
};

/** The routes by which clients find out what they are talking to. */
export const vaultSystemRoutes = [
  publicRoute(
    {
      method: "get",
      path: "/v1/sys/health",
      id: "vaultHealth",
      summary: "Whether the server is up",
      description: "Always initialized, unsealed and active. `activecode` is answered instead of 200; the other `…code` parameters say nothing.",
      tag,
      middleware: [configure],
      replies: { 200: json(vaultHealthSchema, "It is.") },
    },
    async (c) => {
      const status = activeCode(c);
      return NO_BODY.has(status) ? c.body(null, status) : c.json(await health(c), status);
    },
  ),
  publicRoute(
    {
      method: "get",
      path: "/v1/sys/seal-status",
      id: "vaultSealStatus",
      summary: "Whether the server is sealed",
      description: "It never is.",
      tag,
      replies: { 200: json(vaultSealStatusSchema, "It is not.") },
    },
    (c) => c.json({ type: "shamir", initialized: true, sealed: false, t: 1, n: 1, progress: 0, version: VERSION, storage_type: "d1" }),
  ),
  publicRoute(
    {
      method: "get",
      path: "/v1/sys/leader",
      id: "vaultLeader",
      summary: "Which server leads",
      description: "There is none that could be asked for.",
      tag,
      replies: { 200: json(vaultLeaderSchema, "None.") },
    },
    (c) => c.json({ ha_enabled: false }),
  ),
  vaultOperation(
    {
      method: "get",
      path: "/v1/sys/mounts",
      id: "vaultMounts",
      summary: "List the mounts",
      tag,
      permission: "any",
      action: "token.read",
      problems: [],
      replies: { 200: json(vaultMountsReplySchema, "The mounts.") },
    },
    async ({ c, needs, caller }) => {
      await identifyCaller(needs, caller);
      return systemReply(c, mounts());
    },
  ),
  vaultOperation(
    {
      method: "get",
      path: "/v1/sys/internal/ui/mounts",
      id: "vaultUiMounts",
      summary: "List the mounts for a client",
      tag,
      permission: "any",
      action: "token.read",
      problems: [],
      replies: { 200: json(vaultUiMountsReplySchema, "The mounts.") },
    },
    async ({ c, needs, caller }) => {
      await identifyCaller(needs, caller);
      return vaultReply(c, { auth: {}, secret: mounts() });
    },
  ),
  vaultOperation(
    {
      method: "get",
      path: "/v1/sys/internal/ui/mounts/{path}",
      id: "vaultMountOf",
      summary: "Find the mount of a path",
      description: "Clients ask before they read or write, to know which version the mount has.",
      tag,
      permission: "any",
      action: "token.read",
      params: pathParameter("A path below a mount.", "secret/myapp"),
      problems: [],
      replies: { 200: json(vaultMountReplySchema, "The mount.") },
    },
    async ({ c, needs, caller, path }) => {
      await identifyCaller(needs, caller);
      const [first = ""] = namedSegments(path, 4);
      const found = Object.entries(mounts()).find(([name]) => name === `${first}/`);
      if (!found) throw caller.refuse("secrets:read", "there are the mounts secret/, kv/ and env/, and no other");
      return vaultReply(c, { ...found[1], path: found[0] });
    },
  ),
  vaultOperation(
    {
      method: "post",
      path: "/v1/sys/capabilities-self",
      id: "vaultCapabilities",
      summary: "Show what the token may do to paths",
      tag,
      permission: "any",
      action: "token.read",
      body: vaultCapabilitiesSchema,
      problems: [],
      replies: { 200: json(vaultCapabilitiesReplySchema, "Of each path what it may do.") },
    },
    async ({ c, needs, caller, body: { paths = [], path = [] } }) => {
      await identifyCaller(needs, caller);
      const asked = [...paths, ...[path].flat()];
      const [first] = asked;
      if (first === undefined) throw invalid("/paths", "name at least one path");
      const found = new Map(asked.map((each) => [each, capabilitiesOf(caller, each)]));
      return systemReply(c, { ...Object.fromEntries(found), capabilities: found.get(first) });
    },
  ),
];

async function health(c: Context<HonoEnv>) {
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(c.get("config").issuer))).toHex();
  return {
    initialized: true,
    sealed: false,
    standby: false,
    performance_standby: false,
    replication_performance_mode: "disabled",
    replication_dr_mode: "disabled",
    server_time_utc: Math.floor(c.get("now").getTime() / 1000),
    version: VERSION,
    cluster_name: "keyhole",
    cluster_id: id.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
  };
}

/** Statuses that come without a body (Fetch, section 2.2.6). */
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
const codeSchema = z.coerce.number().int().min(200).max(599);

function activeCode(c: Context<HonoEnv>) {
  const asked = c.req.query("activecode");
  if (asked === undefined) return 200;
  const { data } = codeSchema.safeParse(asked);
  if (data === undefined) throw invalid("query:activecode", "a status of 200 to 599");
  return data as 200;
}

function mounts() {
  const config = { default_lease_ttl: 0, max_lease_ttl: 0, force_no_cache: false };
  return Object.fromEntries(
    Object.entries(MOUNTS).map(([name, description]) => [
      name,
      { type: "kv", description, options: { version: "2" }, accessor: `kv_${name.slice(0, -1)}`, config, local: false, seal_wrap: false, uuid: "" },
    ]),
  );
}

/** What is about the system stands at the top and in `data`. */
function systemReply(c: Context<HonoEnv>, data: Readonly<Record<string, unknown>>): Response {
  const text = vaultReplyText({ requestId: c.get("requestId"), data: JSON.stringify(data) });
  return c.json({ ...data, ...JSON.parse(text) });
}
