import { join } from "node:path";

interface App {
  fetch(request: Request, env: object, context: object): Promise<Response>;
}

// A path that the type checker does not follow: the app's types are those of the Worker's runtime, not of Node.
const APP = join(import.meta.dirname, "../../../src/worker/http/app.ts");
const { createApp } = (await import(APP)) as { createApp(): App };
const app = createApp();

/** Asks the Worker's app for what needs no binding, or only those that are given. */
export async function fetchFromApp(path: string, bindings: object = {}): Promise<Response> {
  return app.fetch(new Request(`https://keyhole.test${path}`), bindings, {});
}
