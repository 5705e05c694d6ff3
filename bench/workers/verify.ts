import { importVerifier, verify } from "./floor.ts";

let verifier: CryptoKey | undefined;

/** A Worker that verifies the token and does nothing else. */
export default {
  async fetch(request, env) {
    verifier ??= await importVerifier(env.SIGNING_KEY);
    await verify((request.headers.get("Authorization") ?? "").slice(7), verifier);
    return new Response("ok");
  },
} satisfies ExportedHandler<{ readonly SIGNING_KEY: string }>;
