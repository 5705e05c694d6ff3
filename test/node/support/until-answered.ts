import { setTimeout } from "node:timers/promises";

/** Waits until a server that was just started answers, for half a minute at the most. */
export async function untilAnswered(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const reply = await fetch(url).catch(() => undefined);
    if (reply?.ok) return;
    await setTimeout(100);
  }
  throw new Error(`${url} does not answer`);
}
