import type { Resolver } from "../../src/worker/resolver.ts";

interface Env {
  readonly KEYHOLE: Service<Resolver>;
  readonly UPSTREAM: string;
}

/**
 * A gateway that forwards requests to a provider with the provider's key, which it holds only for as long as a request
 * takes. The key is resolved for each request, so a rotated or deleted one is in force at once.
 */
export default {
  async fetch(request, { KEYHOLE, UPSTREAM }) {
    const resolved = await KEYHOLE.resolve({ scopes: ["namespace:prod"], names: ["OPENAI_API_KEY"] });
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
