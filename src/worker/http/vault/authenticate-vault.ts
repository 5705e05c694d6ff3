import { createMiddleware } from "hono/factory";
import { invalid } from "../../../contract/problem.ts";
import { unauthenticated } from "../../access/verify-token.ts";
import type { HonoEnv } from "../hono-env.ts";
import { setCaller } from "../middleware/authenticate.ts";

/** Makes a caller of the token in `X-Vault-Token` or `Authorization: Bearer`, or refuses the request. */
export const authenticateVault = createMiddleware<HonoEnv>(async (c, next) => {
  const [token, another] = vaultTokens(c.req.raw.headers);
  if (another !== undefined) throw invalid("header:X-Vault-Token", "there are two different tokens; send one");
  if (token === undefined) throw unauthenticated("no-token");
  c.set("token", token);
  await setCaller(c, token);
  await next();
});

/** The tokens in the headers of a request, each once. */
export function vaultTokens(headers: Headers): string[] {
  const [, bearer = ""] = /^Bearer +(.*)$/i.exec(headers.get("Authorization") ?? "") ?? [];
  // What stands in several headers of one name is joined by commas, and no token has one.
  const all = `${headers.get("X-Vault-Token") ?? ""},${bearer}`.split(",").map((token) => token.trim());
  return [...new Set(all.filter((token) => token !== ""))];
}
