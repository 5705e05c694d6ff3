import type { Instance } from "../../../bench/instance.ts";

/** How long the inspector may take for an answer, in milliseconds. */
const PATIENCE = 60_000;

/**
 * The KiB that a Worker's own isolate holds after a collection of all garbage, on its heap and in buffers beside it, as
 * V8's inspector says (Chrome DevTools Protocol: `HeapProfiler.collectGarbage`, `Runtime.getHeapUsage`).
 */
export async function memoryOfWorker({ inspector, url }: Instance): Promise<number> {
  if (!inspector) throw new Error("the Worker was started without an inspector");
  const socket = new WebSocket(inspector);
  try {
    await new Promise((opened, failed) => {
      socket.onopen = opened;
      socket.onerror = () => failed(new Error("the inspector does not answer"));
    });
    await keepAwake(url, ask(socket, "HeapProfiler.collectGarbage"));
    const { usedSize, backingStorageSize } = await keepAwake(url, ask(socket, "Runtime.getHeapUsage"));
    return Math.round((usedSize + backingStorageSize) / 1024);
  } finally {
    socket.close();
  }
}

/** Makes requests until the inspector has answered: an isolate reads what it is asked when it next has something to do. */
async function keepAwake<Answer>(url: URL, asked: Promise<Answer>): Promise<Answer> {
  const deadline = AbortSignal.timeout(PATIENCE);
  let settled = false;
  const settle = () => {
    settled = true;
  };
  asked.then(settle, settle);
  while (!settled) await (await fetch(new URL("/healthz", url), { signal: deadline })).arrayBuffer();
  return asked;
}

interface HeapUsage {
  readonly usedSize: number;
  /** Of array buffers, where the bytes of bodies are. */
  readonly backingStorageSize: number;
}

let last = 0;

function ask(socket: WebSocket, method: string): Promise<HeapUsage> {
  const id = ++last;
  return new Promise((resolve, reject) => {
    socket.addEventListener("close", () => reject(new Error("the inspector went away")));
    socket.addEventListener("message", function listen({ data }) {
      const answer = JSON.parse(String(data)) as { id?: number; result: HeapUsage };
      if (answer.id !== id) return;
      socket.removeEventListener("message", listen);
      resolve(answer.result);
    });
    socket.send(JSON.stringify({ id, method }));
  });
}
