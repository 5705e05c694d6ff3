import type { PutService } from "../../client/create-client.ts";
import { type createClient, KeyholeError, type ServiceBody } from "../../client/create-client.ts";
import { PRESET_NAMES, type PresetName, presetOf, presetsAt } from "../../contract/service-presets.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { note, printJson } from "../output.ts";
import { printFields, printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { readText } from "../read-text.ts";
import { relativeTime } from "../relative-time.ts";
import { SCOPES_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";

const NAME_ARG = { name: { type: "positional", suggests: "service", description: "the name of the service" } } as const;

const add = command({
  description: "Make a service: an API that agents use without holding its key",
  examples: [
    "keyhole service add openai --secret OPENAI_API_KEY",
    "keyhole service add github-git --secret GITHUB_TOKEN --allow 'GET /acme/app.git/info/refs?service=git-receive-pack' --allow 'POST /acme/app.git/git-receive-pack'",
    "keyhole service add billing --file billing.json",
  ],
  args: {
    ...NAME_ARG,
    preset: { type: "enum", options: [...PRESET_NAMES], description: "what API it is, where its name does not say so" },
    secret: { type: "string", valueHint: "NAME", description: "the secret that has the key" },
    scope: {
      ...SCOPES_ARG.scope,
      description: "where that is looked for; may be repeated, with repo:* for the one in the caller's grant [global]",
    },
    origin: { type: "string", valueHint: "URL", description: "the address of an API that each customer has one of" },
    allow: {
      type: "string",
      valueHint: "RULE",
      repeatable: true,
      description: "beside what the preset allows: METHOD[,METHOD] /path[?query]; may be repeated",
    },
    file: { type: "string", valueHint: "FILE", description: "all of it as JSON, in place of the other options; - for standard input" },
  },
  async run({ name, preset, secret, origin, file, profile, insecure, json }, { each }) {
    const body =
      file === undefined
        ? ofPreset(name, { preset, secret, origin, scopes: each("scope"), allow: each("allow") })
        : readDefinition(await readText(file, "json"));
    const { client } = await openSession({ profile, insecure });
    const service = await client.services.put(name, body);
    const opened = await openHosts(client, service, body);
    if (json) return printJson(service);
    note(`${name} is at /use/${name}/ for whoever has secrets:use.`);
    for (const line of opened) note(line);
  },
});

const list = command({
  description: "List the services",
  examples: ["keyhole service list"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const services: ServiceBody[] = [];
    for await (const service of client.services.listAll()) services.push(service);
    if (json) return printJson(services);
    const rows = services.map(({ name, preset, builtin, allow }) => [name, preset ?? "-", builtin ? "the operator's" : "", allow.map(ruleText).join("; ")]);
    printTable(["NAME", "PRESET", "", "ALLOWS"], rows, "No services.");
  },
});

const show = command({
  description: "Show a service",
  examples: ["keyhole service show openai"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const service = await client.services.get(name);
    if (json) return printJson(service);
    printFields([
      ["name", service.name],
      ["preset", service.preset ?? "-"],
      ...Object.entries(service.origins ?? {}).map(([origin, url]) => [origin === "" ? "origin" : `origin ~${origin}`, url] as const),
      ...(service.scopes ? [["scopes", service.scopes.join(" ")] as const] : []),
      ...(service.inject ?? []).map((injection) => ["injects", Object.values(injection).join(" ")] as const),
      ...service.allow.map((rule) => ["allows", ruleText(rule)] as const),
      ...(service.updated_at === undefined ? [] : [["updated", `${relativeTime(service.updated_at)} by ${service.updated_by}`] as const]),
    ]);
  },
});

const remove = command({
  description: "Delete a service",
  examples: ["keyhole service remove openai"],
  args: { ...NAME_ARG, ...YES_ARG },
  async run({ name, profile, insecure, json, yes }) {
    const { client } = await openSession({ profile, insecure });
    await askToConfirm(`Delete service ${name}?`, yes);
    await client.services.delete(name);
    if (json) printJson({ deleted: name });
    else note(`Deleted service ${name}.`);
  },
});

/** `keyhole service …`. */
export const service = command({ description: "Say which APIs are used without holding their keys", subCommands: { add, list, show, remove } });

interface Given {
  readonly preset: PresetName | undefined;
  readonly secret: string | undefined;
  readonly origin: string | undefined;
  readonly scopes: readonly string[];
  readonly allow: readonly string[];
}

function ofPreset(name: string, { preset, secret, origin, scopes, allow }: Given): PutService {
  const known = preset ?? PRESET_NAMES.find((each) => each === name);
  if (known === undefined) throw usageError(`${name} is no preset`, `--preset with one of ${PRESET_NAMES.join(", ")}; or --file for any other API`);
  if (secret === undefined)
    throw usageError("--secret is missing", `for example keyhole service add ${name} --secret ${known.toUpperCase().replaceAll("-", "_")}_KEY`);
  const rules = allow.length > 0 ? { allow: [...presetOf(known).allow, ...allow.map(parseRule)] } : {};
  return { preset: known, secret, scopes: scopes.length > 0 ? [...scopes] : ["global"], ...(origin !== undefined && { origin }), ...rules };
}

type Rule = ServiceBody["allow"][number];

function parseRule(text: string): Rule {
  const [, methods, path, query] = /^([A-Z,-]+) (\/[^?]*)(?:\?(.+))?$/.exec(text) ?? [];
  if (methods === undefined || path === undefined) throw usageError("--allow is not METHOD /path", "for example --allow 'POST /v1/customers'");
  return { methods: methods.split(","), paths: [path], ...(query !== undefined && { query: Object.fromEntries(new URLSearchParams(query)) }) };
}

function ruleText({ methods, paths, query }: Rule): string {
  return `${methods.join(",")} ${paths.join(" ")}${query ? `?${new URLSearchParams(query)}` : ""}`;
}

/** A definition, which the service judges. */
function readDefinition(text: string): PutService {
  try {
    return JSON.parse(text) as PutService;
  } catch {
    throw usageError("--file is not JSON", '{"origin": "https://api.example.com", "scopes": ["global"], "inject": […], "allow": […]}');
  }
}

/** Lets the secrets of a preset go to its hosts, as far as this token may say so. */
async function openHosts(client: ReturnType<typeof createClient>, { origins = {} }: ServiceBody, { secret, scopes }: PutService): Promise<string[]> {
  if (secret === undefined) return [];
  const wanted = Object.values(origins).map((origin) => new URL(origin).hostname);
  const hosts = wanted.filter((host) => presetsAt(host).length > 0);
  const lines: string[] = [];
  for (const scope of scopes.filter((each) => !each.endsWith(":*") && each !== "builtin"))
    lines.push(...(await openHostsIn(client, { scope, secret, hosts, wanted })));
  return lines.length > 0
    ? lines
    : [`There is no ${secret} there yet: keyhole set ${secret} --scope SCOPE ${wanted.map((host) => `--host ${host}`).join(" ")}`];
}

async function openHostsIn(
  client: ReturnType<typeof createClient>,
  { scope, secret, hosts, wanted }: { readonly scope: string; readonly secret: string; readonly hosts: readonly string[]; readonly wanted: readonly string[] },
): Promise<string[]> {
  try {
    const found = await client.secrets.get(scope, secret);
    const missing = hosts.filter((host) => !found.hosts.includes(host));
    if (missing.length > 0) await client.secrets.patch(found.id, { hosts: [...found.hosts, ...missing] });
    const closed = wanted.filter((host) => !hosts.includes(host) && !found.hosts.includes(host));
    return [
      `${secret} in ${scope} may go to ${hosts.join(" and ") || "no host of a preset"}.`,
      ...closed.map((host) => `It may not go to ${host} yet: set it again with --host ${host}.`),
    ];
  } catch (error) {
    if (error instanceof KeyholeError && error.code === "secret-not-found") return [];
    if (error instanceof KeyholeError && error.code === "forbidden")
      return [`Whoever may write ${secret} in ${scope} has to let it go to ${wanted.join(" and ")}, in its hosts.`];
    throw error;
  }
}
