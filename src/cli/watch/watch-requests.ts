import { type Client, KeyholeError, type ResolveReply, type ResolveRequest } from "../../client/create-client.ts";

/** For how many seconds at the most a lease is asked for: the service puts what is asked under one on record once, and counts the rest. */
const LEASE = 300;

/** What has changed since it was taken over last. */
interface Changes {
  /** Each secret that is another than before, for people: its name and its versions. */
  readonly told: readonly string[];
  /** From now on this is what there is. */
  take(): void;
}

/** Asks whether what some requests give is another than before. */
export interface Watcher {
  ask(signal: AbortSignal): Promise<Changes>;
}

/** Asks, and waits no longer than it wants to. */
type Patience = <T>(ask: (signal?: AbortSignal) => Promise<T>) => Promise<T>;

/** What a request gave last. */
interface Held {
  readonly etag: string;
  readonly versions: ReadonlyMap<string, string>;
}

/** Begins to watch: what there is now is what counts as before. Where that cannot be had, it is what there is not known to be. */
export async function watchRequests(client: Client, requests: readonly ResolveRequest[], patiently: Patience = (ask) => ask()): Promise<Watcher> {
  let held: readonly (Held | undefined)[] = await Promise.all(
    // Whoever gets the values asks the same next, and says what is wrong.
    requests.map((request) => patiently((signal) => askAgain(client, request, undefined, signal)).catch((error: unknown) => unlessRefused(error))),
  );
  return {
    async ask(signal) {
      const now = await Promise.all(requests.map((request, at) => askAgain(client, request, held[at], signal)));
      const told = now.flatMap(({ versions }, at) => differences(held[at]?.versions ?? new Map(), versions));
      const take = () => {
        held = now;
      };
      if (told.length === 0) take();
      return { told, take };
    },
  };
}

function unlessRefused(error: unknown): undefined {
  if (!(error instanceof KeyholeError)) throw error;
}

async function askAgain(client: Client, request: ResolveRequest, held: Held | undefined, signal?: AbortSignal): Promise<Held> {
  const { etag, reply } = await client.resolveIfChanged(request, { held: held?.etag, maxAge: LEASE, signal });
  if (reply === undefined) return { etag, versions: held?.versions ?? new Map() };
  return { etag, versions: versionsOf(reply, held?.versions) };
}

/** What cannot be had now is as it was: that says nothing of it. */
function versionsOf({ secrets, unavailable = [] }: ResolveReply, before: Held["versions"] = new Map()): Held["versions"] {
  const found = Object.entries(secrets).map(([name, { id, version, scope, store_version }]) => {
    const number = store_version === undefined ? `version ${version}` : `version ${version}, in its store ${store_version}`;
    return [name, JSON.stringify([id, scope, number])] as const;
  });
  const kept = unavailable.flatMap(({ name }) => (before.has(name) ? [[name, before.get(name) ?? ""] as const] : []));
  return new Map([...found, ...kept]);
}

function differences(before: Held["versions"], now: Held["versions"]): string[] {
  const names = [...new Set([...before.keys(), ...now.keys()])].sort();
  return names.flatMap((name) => {
    const [one, other] = [before.get(name), now.get(name)];
    if (one === other) return [];
    if (other === undefined) return `${name} (gone)`;
    const [, scope, number] = JSON.parse(other) as string[];
    return `${name} (${one === undefined ? "new, " : ""}${number}, from ${scope})`;
  });
}
