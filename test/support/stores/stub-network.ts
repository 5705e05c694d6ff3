import { vi } from "vitest";

/** What answers requests: a fake of an API. */
export type Handle = (request: Request) => Promise<Response>;

/** The network as a test has it. */
export interface Network {
  /** `METHOD origin` of each request. */
  readonly asked: string[];
  /** What answers the next requests, whatever they ask: the first one first. */
  readonly next: Handle[];
}

/** Has `fetch` answered by what is at each host, and refused at any other. Undone by `vi.restoreAllMocks`. */
export function stubNetwork(hosts: Readonly<Record<string, Handle>>): Network {
  const network: Network = { asked: [], next: [] };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input as RequestInfo, init as RequestInit);
    const { host, origin } = new URL(request.url);
    network.asked.push(`${request.method} ${origin}`);
    const handle = network.next.shift() ?? hosts[host];
    if (!handle) throw new TypeError(`nothing is at ${host}`);
    const gone = new Promise<never>((_, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
    return Promise.race([handle(request), gone]);
  });
  return network;
}

/** Answers so, whatever is asked. */
export function answering(status: number, body: unknown, headers: Record<string, string> = {}): Handle {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return async () => new Response(text, { status, headers: { "Content-Type": "application/json", ...headers } });
}
