import { parse } from "dotenv";
import { usageError } from "../cli/cli-error.ts";
import { exchangedToken } from "../cli/exchanged-token.ts";
import { proxiedFetch } from "../cli/proxied-fetch.ts";
import { writeOutput } from "../cli/write-output.ts";
import { type Client, createClient } from "../client/create-client.ts";
import { isInTheClear } from "../contract/in-the-clear.ts";
import { reservationOf } from "../contract/reserved-name.ts";
import { explain } from "./explain.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { requireUnlinked } from "./require-unlinked.ts";
import { command, hand, mask } from "./tell-runner.ts";

// The step itself: an identity token is exchanged, values are resolved and masked, and then handed over.
try {
  await run(readInputs(process.env));
} catch (error) {
  command("error", explain(error));
  process.exitCode = 1;
}

async function run(inputs: Inputs): Promise<void> {
  if (!URL.canParse(inputs.url)) throw usageError("the input url is no address", "url: https://keyhole.example");
  // Said before the runner is asked for an identity token: that, and what comes for it, goes by this address.
  if (isInTheClear(inputs.url)) throw usageError(`${inputs.url} is not https: every value would cross the network in the clear`, "use its https address");
  if (inputs.file !== undefined) requireUnlinked(inputs.file);
  process.env.KEYHOLE_TRUST = inputs.trust;
  const token = (await exchangedToken(inputs.url, undefined)?.()) ?? "";
  mask(token);
  // Before anything else can fail: the step after the job ends what is noted here.
  hand("GITHUB_STATE", "url", inputs.url);
  hand("GITHUB_STATE", "token", token);
  const onEmptyScopes = (scopes: readonly string[]) => command("warning", `nobody has declared or used ${scopes.join(", ")}`);
  await give(createClient({ baseUrl: inputs.url, token, fetch: proxiedFetch, onEmptyScopes }), inputs);
}

/** The values, handed over. All of them are masked before the first one is. */
async function give(client: Client, { scopes, secrets: names, into, file }: Inputs): Promise<void> {
  const request = { scopes, names };
  const options = {
    onLeftOut: (left: readonly { name: string; reason: string }[]) =>
      command("warning", `left out: ${left.map(({ name, reason }) => `${name} (${reason})`).join(", ")}`),
    onBase64: (variables: readonly string[]) => command("warning", `base64 of bytes: ${variables.join(", ")}`),
  };
  const text = file === undefined ? undefined : await client.resolveDotenv(request, options);
  const values = text === undefined ? await client.resolveEnv(request, options) : parse(text);
  for (const value of Object.values(values)) mask(value);
  // The service leaves these out. That a step runs what it is to run does not depend on it.
  const reserved = Object.keys(values).filter((name) => reservationOf(name.toUpperCase()) !== undefined);
  if (reserved.length > 0) throw new Error(`the reply has protected variables: ${reserved.join(", ")}`);
  if (file !== undefined && text !== undefined) writeOutput(file, text, 0o600);
  else for (const [name, value] of Object.entries(values)) hand(into === "outputs" ? "GITHUB_OUTPUT" : "GITHUB_ENV", name, value);
  process.stdout.write(`${Object.keys(values).length} values: ${Object.keys(values).join(", ")}\n`);
}
