import { only } from "./binding-faults.ts";

/** How KV is, seen from several places: what is put in one is in the others only after a while, and each keeps what it missed. */
export class LaggingKv {
  readonly #changedAt = new Map<string, number>();

  constructor(
    readonly kv: KVNamespace,
    readonly now: () => number,
  ) {}

  /** The namespace as a place sees it that learns of a change after `lag` milliseconds. */
  from(lag: (key: string) => number): KVNamespace {
    const missed = new Map<string, number>();
    const get = async (asked: string | string[], { cacheTtl }: { cacheTtl: number }) => {
      const keys = [asked].flat();
      const stored = await this.kv.get(keys, { type: "text" });
      const seen = keys.map((key) => {
        const since = missed.get(key);
        if (since !== undefined && this.now() < since + cacheTtl * 1000) return [key, null] as const;
        const value = this.now() < (this.#changedAt.get(key) ?? 0) + lag(key) ? null : (stored.get(key) ?? null);
        if (value === null) missed.set(key, this.now());
        else missed.delete(key);
        return [key, value] as const;
      });
      return typeof asked === "string" ? (seen[0]?.[1] ?? null) : new Map(seen);
    };
    const put = async (key: string, value: string) => {
      if (!this.#changedAt.has(key)) this.#changedAt.set(key, this.now());
      await this.kv.put(key, value);
    };
    const list = async (options: KVNamespaceListOptions) => {
      const page = await this.kv.list(options);
      return { ...page, keys: page.keys.filter(({ name }) => this.now() >= (this.#changedAt.get(name) ?? 0) + lag(name)) };
    };
    return only<KVNamespace>({ get: get as never, list: list as never, put: put as never, delete: ((key: string) => this.kv.delete(key)) as never });
  }
}
