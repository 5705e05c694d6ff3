/** JSON text that stands for itself when it is written again (ECMA-262, `JSON.rawJSON`), which the types do not know yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** A reviver that keeps numbers as they were written: 1.0 and 12345678901234567890 are more than JavaScript makes of them. */
export function keepNumbers(this: unknown, _: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" && context?.source !== undefined ? rawJSON(context.source) : value;
}
