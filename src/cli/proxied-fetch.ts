import { BlockList, isIP } from "node:net";
import type { Dispatcher } from "undici";
import { connectionFaultOf, PROXY_FAILED } from "../client/connection-fault.ts";
import { isLoopback } from "../contract/in-the-clear.ts";
import { usageError } from "./cli-error.ts";

/**
 * `fetch` by way of the proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name (or the same in lower case), which Node's
 * own looks at from version 24 on if it is told to, and then in its own way. What stays on this machine, where a token may go in
 * the clear, never goes to a proxy.
 *
 * @throws {CliError} when what is named is no http or https address.
 */
export const proxiedFetch: typeof globalThis.fetch = fetchTrusting(undefined);

/** The same, trusting only the certificate authorities in a PEM text, where there is one. */
export function fetchTrusting(authorities: string | undefined): typeof globalThis.fetch {
  const agents = new Map<string | undefined, Dispatcher>();
  return async (input, init) => {
    const proxy = proxyFor(new URL(input instanceof Request ? input.url : input), process.env);
    if (proxy === undefined && authorities === undefined && !namesProxy(process.env)) return globalThis.fetch(input, init);
    // It is loaded when it is needed: without a proxy every command starts faster.
    const { Agent, fetch, ProxyAgent } = await import("undici");
    const tls = authorities === undefined ? {} : { ca: authorities };
    // Where none applies, Node's own fetch might go by one all the same (NODE_USE_ENV_PROXY).
    const dispatcher = agents.get(proxy) ?? (proxy === undefined ? new Agent({ connect: tls }) : new ProxyAgent({ uri: proxy, requestTls: tls }));
    agents.set(proxy, dispatcher);
    try {
      return (await fetch(input as string, { ...init, dispatcher } as never)) as unknown as Response;
    } catch (error) {
      throw proxy !== undefined && ofProxy(error) ? Object.assign(new TypeError("the proxy failed", { cause: error }), { code: PROXY_FAILED }) : error;
    }
  };
}

/** Whether any proxy is named, for whatever address. */
function namesProxy(env: NodeJS.ProcessEnv): boolean {
  return ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"].some((name) => env[name]);
}

/** Whether it is the proxy that failed: only its own name is looked up here, and only to it a connection is made. */
function ofProxy(error: unknown): boolean {
  const fault = connectionFaultOf(error);
  return fault === "name" || fault === "refused" || hasRefused(error);
}

/** What undici says when a proxy answers something else than 200 to CONNECT is somewhere in the causes. */
function hasRefused(error: unknown): boolean {
  return error instanceof Error && (error.message.startsWith("Proxy response") || hasRefused(error.cause));
}

/** The proxy for an address, if it goes by one. */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): string | undefined {
  const names = url.protocol === "https:" ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"];
  const name = names.find((name) => env[name]);
  if (name === undefined || isLoopback(url) || isExempt(url, env.no_proxy || env.NO_PROXY || "")) return undefined;
  const proxy = env[name] ?? "";
  // Without a scheme it is a host and a port, as other programs read it.
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw usageError(`${name} is not the address of an http or https proxy`, "for example http://proxy.example:3128; SOCKS is not spoken here");
  return address;
}

/** Whether `NO_PROXY` names the host: a name stands for what is below it too, `*` for all, an address may have a length of prefix. */
function isExempt({ hostname, port, protocol }: URL, exceptions: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const own = port || (protocol === "https:" ? "443" : "80");
  return exceptions
    .toLowerCase()
    .split(/[,\s]+/)
    .filter(Boolean)
    .some((entry) => {
      const [, name = entry, only = own] = /^(\[.*\]|[^:]+)(?::(\d+))?$/.exec(entry) ?? [];
      return only === own && (name === "*" || isWithin(host, name.replace(/^\*?\.|^\[|\]$/g, "")));
    });
}

function isWithin(host: string, name: string): boolean {
  if (!isIP(host)) return host === name || host.endsWith(`.${name}`);
  const [address = "", length] = name.split("/");
  if (isIP(address) !== isIP(host)) return false;
  const list = new BlockList();
  const family = isIP(host) === 6 ? "ipv6" : "ipv4";
  if (length === undefined) list.addAddress(address, family);
  else if (/^\d{1,2}$|^1[01]\d$|^12[0-8]$/.test(length) && Number(length) <= (family === "ipv6" ? 128 : 32)) list.addSubnet(address, Number(length), family);
  return list.check(host, family);
}
