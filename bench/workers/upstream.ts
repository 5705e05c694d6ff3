/** What services of the benchmark are: a small answer, and at `/stream` one whose second half comes later. */
export default {
  fetch(request) {
    if (!new URL(request.url).pathname.endsWith("/stream"))
      return Response.json({ id: "chatcmpl-1", choices: [{ message: { role: "assistant", content: "Hello." } }] });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const send = async () => {
      await writer.write(new TextEncoder().encode("data: first\n\n"));
      await new Promise((resolve) => setTimeout(resolve, 20));
      await writer.write(new TextEncoder().encode("data: [DONE]\n\n"));
      await writer.close();
    };
    void send();
    return new Response(readable, { headers: { "Content-Type": "text/event-stream" } });
  },
} satisfies ExportedHandler;
