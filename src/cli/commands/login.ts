import { NAME, whole } from "../../contract/grammar.ts";
import { isInTheClear } from "../../contract/in-the-clear.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { LOCAL_PROFILE, wantedDeployment } from "../local/wants-local.ts";
import { loginToken } from "../login/login-token.ts";
import { note, printJson } from "../output.ts";
import { readProfiles, saveProfile } from "../profiles.ts";
import { askText, canAsk } from "../prompt.ts";
import { VALUE_ARGS } from "../read-value.ts";
import { relativeTime } from "../relative-time.ts";
import { clientFor } from "../session.ts";

const PROFILE = whole(NAME);

/** `keyhole login`. */
export const login = command({
  description: "Log in to a deployment, in the browser or with a token",
  examples: [
    "keyhole login https://keyhole.example",
    "keyhole login https://keyhole.example --device",
    "keyhole login https://keyhole.example --profile staging --stdin < token",
  ],
  args: {
    url: { type: "positional", required: false, description: "the address; asked for when left out" },
    browser: { type: "boolean", description: "log in in the browser, as without any of these on a terminal" },
    device: { type: "boolean", description: "log in where there is no browser: shows a code to type on another machine" },
    paste: { type: "boolean", description: "type or paste a token" },
    ...VALUE_ARGS,
    "plain-file": { type: "boolean", description: "keep the token in a file that only you may read, not in the system's keychain" },
  },
  surplus: {
    message: "login takes an address and nothing more: a token on the command line would show in every process listing",
    hint: "leave the token away and log in in the browser, or use --paste, --stdin, --env-var NAME or --file PATH",
  },
  async run({ url: given, profile: wanted, json, insecure, ...source }) {
    const profile = wantedDeployment(wanted) ?? "default";
    if (!PROFILE.test(profile)) throw usageError("that is not a name for a profile", "letters, digits, '.', '_' and '-'");
    if (profile === LOCAL_PROFILE) throw usageError("the profile local is this machine, without a deployment", "choose another name");
    const url = (given as string | undefined) ?? (await askAddress());
    // The address is checked before the token is asked for.
    clientFor(url, "", { insecure });
    if (isInTheClear(url)) note("warning: this address is not https: the token crosses the network in the clear");
    const token = await loginToken(url, source);
    const { org, sub, expires_at } = await clientFor(url, token, { insecure }).whoami();
    const saved = await saveProfile(profile, url, token, !source["plain-file"]);
    if (json) printJson({ profile, url, org, sub, expires_at, token_in: saved.token });
    else
      note(
        `Logged in to ${url} as ${sub} of ${org}; the token expires ${relativeTime(expires_at)} and is in the ${saved.token === "file" ? "0600 file tokens.json" : "keychain"}.`,
      );
    if (readProfiles().default !== profile) note(`Use it with --profile ${profile}.`);
  },
});

async function askAddress(): Promise<string> {
  if (!canAsk()) throw usageError("keyhole login needs an address", "keyhole login https://keyhole.example --stdin < token");
  return askText("Address of the deployment", "https://keyhole.example");
}
