import { PRESET_NAMES, type PresetName, presetOf } from "../contract/service-presets.ts";
import { usageError } from "./cli-error.ts";

/** A service that a command is to use. */
export interface UsedService {
  readonly name: string;
  readonly preset: string | null;
}

/**
 * The variables by which a command finds services and has a token for them, and nothing else: those of the services' presets, git's
 * configuration (git-config(1), `GIT_CONFIG_COUNT`) after what there is of it, `KEYHOLE_USE_<NAME>` with each service's address, and
 * `KEYHOLE_URL` and `KEYHOLE_TOKEN` in the place of the caller's own.
 *
 * @param url The address of the deployment, without a `/` at its end.
 * @throws {CliError} when two services would set one variable.
 */
export function useEnvironment(services: readonly UsedService[], url: string, token: string, parent: NodeJS.ProcessEnv): Record<string, string> {
  const set: Record<string, string> = { KEYHOLE_URL: url, KEYHOLE_TOKEN: token };
  const git: (readonly [key: string, value: string])[] = [];
  for (const { name, preset } of services) {
    const address = `${url}/use/${name}`;
    const known = isPreset(preset) ? presetOf(preset) : undefined;
    const variables = { [`KEYHOLE_USE_${name.toUpperCase().replaceAll("-", "_")}`]: "{url}", ...known?.variables };
    for (const [variable, template] of Object.entries(variables)) {
      if (Object.hasOwn(set, variable))
        throw usageError(`two of the services set ${variable}`, "use one of them, or tell the command the address of the other");
      set[variable] = template.replace("{url}", address).replace("{token}", token);
    }
    const prefixes = known?.insteadOf ?? [];
    git.push(...prefixes.map((prefix) => [`url.${address}/.insteadOf`, prefix] as const));
    if (prefixes.length > 0) git.push([`http.${address}/.extraHeader`, `Authorization: Bearer ${token}`]);
  }
  return { ...set, ...gitVariables(git, parent) };
}

function isPreset(name: string | null): name is PresetName {
  return PRESET_NAMES.some((preset) => preset === name);
}

function gitVariables(settings: readonly (readonly [key: string, value: string])[], { GIT_CONFIG_COUNT = "" }: NodeJS.ProcessEnv): Record<string, string> {
  if (settings.length === 0) return {};
  // Empty is none, as it is to git.
  if (!/^\d{0,4}$/.test(GIT_CONFIG_COUNT)) throw usageError("GIT_CONFIG_COUNT is not a number", "unset it");
  const first = Number(GIT_CONFIG_COUNT);
  const pairs = settings.flatMap(([key, value], n) => [
    [`GIT_CONFIG_KEY_${first + n}`, key],
    [`GIT_CONFIG_VALUE_${first + n}`, value],
  ]);
  return { ...Object.fromEntries(pairs), GIT_CONFIG_COUNT: String(first + settings.length) };
}
