import { waitFor } from "./wait-for.ts";

/** A request that is under way, for all who ask the same. */
interface Flight<R> {
  readonly result: Promise<R>;
  /** When it was begun. */
  readonly since: number;
}

/** Requests that are under way. */
export interface Flights<R> {
  /** The one of this key that was begun last. */
  newest(key: string): Flight<R> | undefined;
  /** Begins one that others may join. `ask` never rejects. */
  begin(key: string, ask: (signal: AbortSignal) => Promise<R>, now: number): Flight<R>;
  /** Its result; `undefined` when that takes longer than so many milliseconds. When the last who wait are given up, so is it. */
  join(flight: Flight<R>, milliseconds: number, signal: AbortSignal | undefined): Promise<R | undefined>;
  /** Lets nobody join those that are under way. */
  closeAll(): void;
}

/** Requests that are under way, the newest of each key. */
export function openFlights<R>(): Flights<R> {
  const newest = new Map<string, Flight<R>>();
  const waiting = new WeakMap<Flight<R>, { count: number; giveUp: (reason: unknown) => void }>();
  return {
    newest: (key) => newest.get(key),
    begin(key, ask, now) {
      const controller = new AbortController();
      const flight = { result: ask(controller.signal), since: now };
      const end = () => {
        if (newest.get(key) === flight) newest.delete(key);
      };
      const giveUp = (reason: unknown) => {
        end();
        controller.abort(reason);
      };
      newest.set(key, flight);
      waiting.set(flight, { count: 0, giveUp });
      void flight.result.then(end);
      return flight;
    },
    async join(flight, milliseconds, signal) {
      const others = waiting.get(flight);
      if (others) others.count += 1;
      try {
        return await waitFor(flight.result, milliseconds, signal);
      } catch (reason) {
        if (others) others.count -= 1;
        if (others?.count === 0) others.giveUp(reason);
        throw reason;
      }
    },
    closeAll: () => newest.clear(),
  };
}
