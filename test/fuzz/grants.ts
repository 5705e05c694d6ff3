import { PERMISSIONS } from "../../src/contract/permission.ts";
import type { Grant } from "./request.ts";

interface Caller {
  readonly org: string;
  readonly permissions: string;
  readonly scopes?: string[];
  readonly names?: string[];
  readonly expired?: boolean;
}

const all = PERMISSIONS.join(" ");

/** What the token of each caller says; `null` for no token. */
export const CALLERS: Record<Grant, Caller | null> = {
  everything: { org: "acme", permissions: all },
  read: { org: "acme", permissions: "secrets:read audit:read keys:read" },
  write: { org: "acme", permissions: "secrets:write tokens:write" },
  resolve: { org: "acme", permissions: "config_vars:resolve" },
  limited: { org: "acme", permissions: all, scopes: ["team:a", "repo:acme/*"], names: ["A*"] },
  "another org": { org: "globex", permissions: all },
  platform: { org: "platform", permissions: all },
  expired: { org: "acme", permissions: all, expired: true },
  none: null,
};
