import worker from "../../src/worker/worker.ts";

export { Resolver } from "../../src/worker/worker.ts";

/** The only address that the local server can be reached from: it listens nowhere else. */
const CALLER = "127.0.0.1";

/** The Worker as `npm start` runs it. At the edge, Cloudflare says where a request comes from, whatever the request itself says; here this does. */
export default {
  ...worker,
  fetch(request: Request, env, context) {
    const received = new Request(request);
    received.headers.set("CF-Connecting-IP", CALLER);
    return worker.fetch(received, env, context);
  },
} satisfies typeof worker;
