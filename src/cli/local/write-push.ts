import { type Client, KeyholeError } from "../../client/create-client.ts";
import { progress } from "../output.ts";
import type { Compared } from "./compare-push.ts";

/** What became of a secret. */
export interface PushedSecret extends Omit<Compared, "state"> {
  readonly state: Compared["state"] | "written" | "replaced";
}

/**
 * Writes what the deployment has not, and with `overwrite` what it has otherwise. Who is stopped on the way does it again: what is
 * there by then is the same. What somebody else has made since it was compared is left alone: nobody was shown that it would go.
 */
export async function writePush(client: Client, compared: readonly Compared[], overwrite: boolean): Promise<PushedSecret[]> {
  const pushed: PushedSecret[] = [];
  for (const one of compared) {
    pushed.push({ ...one, state: await write(client, one, overwrite) });
    progress(`Pushing: ${pushed.length} of ${compared.length}`);
  }
  return pushed;
}

async function write(client: Client, { to, secret, value, state }: Compared, overwrite: boolean): Promise<PushedSecret["state"]> {
  if (state === "same" || state === "reserved" || (state === "different" && !overwrite)) return state;
  if (state === "different") return (await client.secrets.set(to, secret.name, value)).changed ? "replaced" : "same";
  try {
    await client.secrets.set(to, secret.name, value, {}, { ifNoneMatch: "*" });
    return "written";
  } catch (error) {
    if (error instanceof KeyholeError && error.code === "version-conflict") return "different";
    throw error;
  }
}
