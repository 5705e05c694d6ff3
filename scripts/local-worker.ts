import worker from "../src/worker/worker.ts";

export { Resolver } from "../src/worker/worker.ts";

/**
 * The Worker as it runs on one machine: nothing stands before it that says where a request comes from, and it listens on
 * the loopback address only. What a client claims of its address is not believed.
 */
export default {
  ...worker,
  fetch(request, env, context) {
    const from = new Request(request);
    from.headers.set("CF-Connecting-IP", "127.0.0.1");
    return worker.fetch(from, env, context);
  },
} satisfies typeof worker;
