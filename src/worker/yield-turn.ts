/**
 * Lets everything else that waits in this isolate have its turn first. What only ever awaits what is there at once, as a local
 * D1 and KV are, and signatures, keeps requests that have arrived from being read.
 */
export function yieldTurn(): Promise<void> {
  return scheduler.wait(0);
}
