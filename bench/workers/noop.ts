/** A Worker that does nothing: what the runtime itself takes. */
export default {
  fetch: () => new Response("ok"),
} satisfies ExportedHandler;
