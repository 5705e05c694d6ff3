/**
 * Reads a part of a reply: gives it back with the members that are known here and no others, or throws a {@link Mismatch}.
 *
 * @param at Where it stands in the reply, as a JSON Pointer (RFC 6901).
 */
export type Reader<T> = (value: unknown, at: string) => T;

/** A part of a reply is not what it is to be. It says where, and nothing of what is there: a reply may hold values. */
export class Mismatch extends Error {
  readonly at: string;

  constructor(at: string) {
    super(at);
    this.at = at;
  }
}

function reading<T>(is: (value: unknown) => boolean): Reader<T> {
  return (value, at) => {
    if (is(value)) return value as T;
    throw new Mismatch(at);
  };
}

function matching<T extends string>(pattern: RegExp): Reader<T> {
  return reading((value) => typeof value === "string" && pattern.test(value));
}

export const text: Reader<string> = reading((value) => typeof value === "string");
export const flag: Reader<boolean> = reading((value) => typeof value === "boolean");
/** A whole number that counts something, or is its place in a list. */
export const count: Reader<number> = reading((value) => Number.isSafeInteger(value) && (value as number) >= 0);
export const textOrNumber: Reader<string | number> = reading((value) => typeof value === "string" || Number.isFinite(value));
/** A time as every reply writes it: RFC 3339, UTC, with milliseconds. */
export const time: Reader<string> = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** A word of a list that a later service may have made longer: it is shown and compared, and whoever does not know it does nothing by it. */
export function word<T extends string>(): Reader<T> {
  const isWord = /^[a-z][a-z0-9_-]*(?:[.:][a-z][a-z0-9_-]*)*$/;
  // Whoever looks it up in a table is not to find what every object has.
  return reading((value) => typeof value === "string" && isWord.test(value) && !(value in Object.prototype));
}

/** One of the words that there are. */
export function oneOf<T extends string>(...words: readonly T[]): Reader<T> {
  return reading((value) => (words as readonly unknown[]).includes(value));
}

export function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, at) => (value === null ? null : read(value, at));
}

/** What may be left out of an object. */
export function optional<T>(read: Reader<T>): Reader<T | undefined> {
  return (value, at) => (value === undefined ? undefined : read(value, at));
}

/** What a service of before does not say, and what that means. */
export function orElse<T>(read: Reader<T>, meant: T): Reader<T> {
  return (value, at) => (value === undefined ? meant : read(value, at));
}

export function listOf<T>(read: Reader<T>): Reader<T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw new Mismatch(at);
    return value.map((item, place) => read(item, `${at}/${place}`));
  };
}

function membersOf(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Mismatch(at);
  return value as Record<string, unknown>;
}

/** An object whose members all are of one kind, whatever their names. */
export function recordOf<T>(read: Reader<T>): Reader<Record<string, T>> {
  return (value, at) => {
    const entries = Object.entries(membersOf(value, at)).map(([name, member]) => {
      // It is a member that JavaScript's objects have already.
      if (name === "__proto__") throw new Mismatch(`${at}/${name}`);
      return [name, read(member, `${at}/${name}`)] as const;
    });
    return Object.fromEntries(entries);
  };
}

/** The readers of an object's members: one for each that its type has. */
type Members<T> = { readonly [Name in keyof T]-?: Reader<Record<never, never> extends Pick<T, Name> ? T[Name] | undefined : T[Name]> };

/** An object with these members; others, which a later service may add, are left out. */
export function objectOf<T extends object>(members: Members<NoInfer<T>>): Reader<T> {
  return (value, at) => {
    const given = membersOf(value, at);
    const entries = Object.entries<Reader<unknown>>(members as Readonly<Record<string, Reader<unknown>>>).map(
      ([name, read]) => [name, read(Object.hasOwn(given, name) ? given[name] : undefined, `${at}/${name}`)] as const,
    );
    return Object.fromEntries(entries.filter(([, member]) => member !== undefined)) as T;
  };
}

/** A page of a list, whose items stand under `name`. */
export function pageOf<Name extends string, T>(name: Name, read: Reader<T>): Reader<Record<Name, T[]> & { next_cursor: string | null }> {
  return objectOf({ [name]: listOf(read), next_cursor: orNull(text) } as unknown as Members<Record<Name, T[]> & { next_cursor: string | null }>);
}

/** Whatever is there, as it is. */
export const anything: Reader<unknown> = (value) => value;
