import { proxiedFetch } from "../cli/proxied-fetch.ts";
import { createClient, KeyholeError } from "../client/create-client.ts";
import { explain } from "./explain.ts";
import { command } from "./tell-runner.ts";

// After the job, also one that has failed: its token ends. Where that cannot be done it ends by itself soon, and the log says so.
try {
  const { STATE_url: baseUrl, STATE_token: token } = process.env;
  if (baseUrl && token) await revoke(baseUrl, token);
} catch (error) {
  command("warning", `the job's token could not be revoked, and ends by itself. ${explain(error)}`);
}

async function revoke(baseUrl: string, token: string): Promise<void> {
  const client = createClient({ baseUrl, token, fetch: proxiedFetch });
  try {
    const { token_id } = await client.whoami();
    if (token_id !== null) await client.tokens.revoke(token_id);
    process.stdout.write("the job's token is revoked\n");
  } catch (error) {
    if (!(error instanceof KeyholeError) || error.code !== "unauthenticated") throw error;
    process.stdout.write("the job's token has ended already\n");
  }
}
