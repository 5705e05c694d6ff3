import * as z from "zod";

/** A body that a route takes, and the type of what is parsed of it. */
export interface Body<T> {
  /** What a JSON or form body holds. */
  readonly schema: z.ZodType<T>;
  readonly type: "application/json" | "application/x-www-form-urlencoded";
  /** Other media types, with an example of each: those the route reads by itself. */
  readonly others: Readonly<Record<string, z.ZodType>>;
  /** Whether a request may come without one. */
  readonly optional: boolean;
  /** Whether numbers in JSON are read as the text that they are written as: `1.0` and `12345678901234567890` are no other numbers then. */
  readonly numbersAsText: boolean;
}

/** A JSON body, which must be there. */
export function jsonBody<S extends z.ZodType>(schema: S): Body<z.output<S>> {
  return { schema: schema as unknown as z.ZodType<z.output<S>>, type: "application/json", others: {}, optional: false, numbersAsText: false };
}

/** A JSON body that may be left out. */
export function optionalJsonBody<S extends z.ZodType>(schema: S): Body<z.output<S> | undefined> {
  return { ...jsonBody(schema), optional: true };
}

/** {@link jsonBodyOr}, in whose JSON a number stands for its text. */
export function textBodyOr<S extends z.ZodType>(schema: S, others: Body<unknown>["others"]): Body<z.output<S> | undefined> {
  return { ...jsonBodyOr(schema, others), numbersAsText: true };
}

/** A JSON body, or one of another media type, which the route reads by itself: then what is parsed is `undefined`. */
export function jsonBodyOr<S extends z.ZodType>(schema: S, others: Body<unknown>["others"]): Body<z.output<S> | undefined> {
  return { ...jsonBody(schema), others };
}

/** A form (`application/x-www-form-urlencoded`), for the API description of a route that reads it by itself. */
export function formBody<S extends z.ZodType>(schema: S): Body<z.output<S>> {
  return { ...jsonBody(schema), type: "application/x-www-form-urlencoded" };
}

/** Text, by an example. */
export function text(example: string): z.ZodType {
  return z.string().meta({ example });
}

/** Bytes. */
export const bytes: z.ZodType = z.string().meta({ format: "binary", example: "bytes" });
