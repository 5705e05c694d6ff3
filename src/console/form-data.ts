/** The text of a field; `undefined` where it is empty. */
export function textOf(form: FormData, name: string): string | undefined {
  const text = form.get(name);
  return typeof text === "string" && text.trim() !== "" ? text.trim() : undefined;
}

/** The lines of a field, or what is between commas; empty ones do not count. `undefined` where there is none. */
export function linesOf(form: FormData, name: string): string[] | undefined {
  const lines = (textOf(form, name) ?? "").split(/[\n,]/).map((line) => line.trim());
  const given = lines.filter((line) => line !== "");
  return given.length > 0 ? given : undefined;
}

/** Lines of `key=value`. */
export function pairsOf(form: FormData, name: string): Record<string, string> {
  const lines = (textOf(form, name) ?? "").split("\n").map((line) => line.trim());
  return Object.fromEntries(
    lines
      .filter((line) => line !== "")
      .map((line) => {
        const at = line.indexOf("=");
        return at === -1 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      }),
  );
}

/** The whole number of a field; `undefined` where it is empty. */
export function numberOf(form: FormData, name: string): number | undefined {
  const text = textOf(form, name);
  return text === undefined ? undefined : Number(text);
}

/** A time that was given in the clock of this machine, in UTC; `undefined` where there is none. */
export function timeOf(form: FormData, name: string): string | undefined {
  const text = textOf(form, name);
  return text === undefined ? undefined : new Date(text).toISOString();
}

/** A time as an input of this machine's clock takes it. */
export function inputTime(time: string | null): string {
  if (time === null) return "";
  const at = new Date(time);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
