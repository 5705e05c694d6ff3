import { createResolver, type Resolver, type ResolverBinding } from "keyhole/worker";

interface Env {
  readonly KEYHOLE: ResolverBinding;
  readonly UPSTREAM: string;
  readonly KEY_MAX_AGE: string;
}

/** What this isolate keeps. While Keyhole does not answer, a key is used for five minutes more. */
let keyhole: Resolver | undefined;

/** A gateway that forwards requests to a provider with the provider's key, which it has in memory and nowhere else. */
export default {
  async fetch(request, { KEYHOLE, UPSTREAM, KEY_MAX_AGE }) {
    keyhole ??= createResolver(KEYHOLE, { maxAge: Number(KEY_MAX_AGE), staleIfError: 300 });
    const resolved = await keyhole.resolve({ scopes: ["namespace:prod"], names: ["OPENAI_API_KEY"] });
    if (!resolved.ok) {
      console.error(JSON.stringify({ event: "resolve", code: resolved.problem.code, request_id: resolved.problem.request_id }));
      return new Response("The provider's key is not available.", { status: 502 });
    }
    const { pathname, search } = new URL(request.url);
    const forwarded = new Request(new URL(pathname + search, UPSTREAM), request);
    forwarded.headers.set("Authorization", `Bearer ${resolved.secrets.OPENAI_API_KEY?.value}`);
    return fetch(forwarded);
  },
} satisfies ExportedHandler<Env>;
