import { createHash, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AUTHORIZATION_CODE, CLI_CLIENT } from "../../contract/oauth-client.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { note } from "../output.ts";
import { askToken, below, notLoggedIn } from "./oauth-calls.ts";
import { openBrowser } from "./open-browser.ts";

/** How long somebody has in the browser, in milliseconds. */
const PATIENCE = 10 * 60_000;

/**
 * Logs in by the browser of whoever is at this machine (RFC 8252): the code comes back to an address that only this machine has, and is worth
 * nothing without what only this process knows (RFC 7636).
 *
 * @returns The token.
 * @throws {CliError} when it is refused, or nobody comes back.
 */
export async function browserLogin(url: string): Promise<string> {
  const [verifier, state] = [randomBytes(32).toString("base64url"), randomBytes(32).toString("base64url")];
  const server = createServer();
  try {
    const redirectUri = await listen(server);
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const asked = { response_type: "code", client_id: CLI_CLIENT, redirect_uri: redirectUri, code_challenge: challenge, code_challenge_method: "S256", state };
    const address = below(url, `/oauth/authorize?${new URLSearchParams(asked)}`);
    note("Log in in the browser. If it does not open, go there yourself:");
    note(`  ${address}`);
    const coming = answerAt(server, state, new URL(url).origin);
    openBrowser(address);
    const code = await coming;
    const reply = await askToken(url, { grant_type: AUTHORIZATION_CODE, code, redirect_uri: redirectUri, code_verifier: verifier });
    if ("error" in reply) throw notLoggedIn(reply);
    return reply.access_token;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
}

/** The code that the browser brings. What comes without the state of this login, or from another deployment, is not the answer. */
function answerAt(server: Server, state: string, issuer: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new CliError("nobody has logged in for ten minutes", "run it again", EXIT.refused)), PATIENCE);
    server.on("request", (request, response) => {
      // Whatever page is open in the browser may ask here, also for what is no path.
      const [path, query] = (request.url ?? "").split("?", 2);
      const said = new URLSearchParams(query);
      const isAnswer = request.method === "GET" && path === "/callback" && said.get("state") === state && said.get("iss") === issuer;
      const [code, error] = [said.get("code"), said.get("error")];
      const known = isAnswer && (code !== null || error !== null);
      response.writeHead(known ? 200 : 404, { "Content-Type": "text/plain; charset=utf-8", "Referrer-Policy": "no-referrer", Connection: "close" });
      response.end(known ? `${code === null ? "You are not logged in." : "You are logged in."} Go back to the terminal; this page can be closed.\n` : "");
      if (!known) return;
      clearTimeout(timer);
      response.once("close", () =>
        code === null
          ? reject(notLoggedIn({ error: error === "access_denied" ? error : "invalid_request", error_description: "no code came back" }))
          : resolve(code),
      );
    });
  });
}
