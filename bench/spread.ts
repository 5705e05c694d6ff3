/** A delay drawn around a typical one, half as much to twice as much: long ones are rarer. */
export function spread(delay: number): number {
  return delay * 2 ** (Math.random() * 2 - 1);
}
