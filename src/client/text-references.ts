import { isSecretName } from "../contract/grammar.ts";

const BEGINS = /\$\{keyhole:([^}]*)(\}?)/g;

/**
 * The text with the value in place of each `${keyhole:NAME}`. What a value says is not looked at again.
 *
 * @throws {TypeError} for something that begins as a reference and is none. It names the mistake and nothing of the text.
 */
export function fillText(text: string, lookUp: (name: string) => string): string {
  return text.replace(BEGINS, (_, name: string, end: string) => {
    if (!end || !isSecretName(name)) throw new TypeError("${keyhole:NAME} has the name of a secret after the colon, and ends with }");
    return lookUp(name);
  });
}

/** The names in the text's references, in their order. */
export function namesInText(text: string): string[] {
  const names: string[] = [];
  fillText(text, (name) => {
    names.push(name);
    return "";
  });
  return names;
}
