/** A Worker that sends each request on with a key of its own, and gives the reply as it comes: what a use is beside. */
export default {
  fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.set("Authorization", `Bearer ${env.KEY}`);
    return fetch(`${env.ORIGIN}${pathname.replace(/^\/use\/\w+/, "")}${search}`, { method: request.method, headers, body: request.body, redirect: "manual" });
  },
} satisfies ExportedHandler<{ readonly ORIGIN: string; readonly KEY: string }>;
