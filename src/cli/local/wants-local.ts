import type { CliError } from "../cli-error.ts";
import { usageError } from "../cli-error.ts";
import { readProfiles, wantedProfile } from "../profiles.ts";

/** The profile that is no deployment but this machine. */
export const LOCAL_PROFILE = "local";

/** Whether a profile is this machine. One that was saved under the name when it was free is still that deployment. */
export function isLocalProfile(name: string | undefined): boolean {
  return name === LOCAL_PROFILE && !Object.hasOwn(readProfiles().profiles, LOCAL_PROFILE);
}

/** The profile that was asked for, of a command that is about a deployment in any case: KEYHOLE_PROFILE=local says nothing of which. */
export function wantedDeployment(option: string | undefined): string | undefined {
  const name = wantedProfile(option);
  return option === undefined && isLocalProfile(name) ? undefined : name;
}

/** Whether a command is about the secrets of this machine: by `--local`, or by the name of the profile. */
export function wantsLocal(local: boolean, profile: string | undefined): boolean {
  if (local && profile !== undefined && profile !== LOCAL_PROFILE) throw usageError("--local and --profile are two different places", "leave one of them out");
  return local || isLocalProfile(wantedProfile(profile));
}

/** What is said of what this machine cannot do alone. */
export function needsDeployment(what: string): CliError {
  return usageError(
    `${what} needs a deployment`,
    "`keyhole login https://…`; without one there are set, list, delete, run, explain, scope and status with --local",
  );
}
