import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { wantedDeployment } from "../local/wants-local.ts";
import { note, printJson } from "../output.ts";
import { deleteProfile, readProfiles } from "../profiles.ts";

/** `keyhole logout`. */
export const logout = command({
  description: "Forget a saved deployment and its token",
  examples: ["keyhole logout", "keyhole logout --profile staging"],
  async run({ profile, json }) {
    const name = wantedDeployment(profile) ?? readProfiles().default;
    if (name === undefined || !(await deleteProfile(name))) throw usageError("there is no such profile", "`keyhole status` shows the profiles");
    if (json) printJson({ profile: name });
    else note(`Forgot profile ${name}. Its token is valid until it expires or is revoked.`);
  },
});
