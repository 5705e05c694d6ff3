import type { Ref } from "preact";
import { useEffect, useImperativeHandle, useRef, useState } from "preact/hooks";
import { ALPHABETS, type Alphabet, generateValue } from "../generate-value.ts";
import { ChoiceField, Field, hintOf, TextField } from "./field.tsx";

/** Where the value of a secret comes from. */
type Way = "type" | "generate" | "file";

const WAYS: Readonly<Record<Way, string>> = { type: "Type or paste", generate: "Generate", file: "From a file" };
const MOST_BYTES = 65_536;

/** What a form asks of its value field. */
export interface ValueHandle {
  /** The value: text, or the bytes of a file that is no text. */
  take(): Promise<string | Uint8Array>;
  /** Forgets what was typed or chosen. */
  clear(): void;
}

/**
 * Takes a value and never shows one: what is typed is only in its input, hidden unless one asks to see it, and leaves the page
 * with {@link ValueHandle.clear}, or when the page is left.
 */
export function ValueField({ handle, first = "type" }: { handle: Ref<ValueHandle>; first?: Way }) {
  const [way, setWay] = useState<Way>(first);
  const [shown, setShown] = useState(false);
  const text = useRef<HTMLTextAreaElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLFieldSetElement>(null);
  const clear = () => {
    if (text.current) text.current.value = "";
    if (file.current) file.current.value = "";
    setShown(false);
  };
  const read = (name: string) => box.current?.querySelector<HTMLInputElement | HTMLSelectElement>(`[name=${name}]`)?.value ?? "";
  useImperativeHandle(handle, () => ({
    clear,
    async take() {
      if (way === "type") return text.current?.value ?? "";
      if (way === "generate") return generateValue(lengthOf(read("length")), read("alphabet") as Alphabet);
      return readFile(file.current?.files?.[0]);
    },
  }));
  // The browser may keep the page that is left, with what was typed.
  useEffect(() => {
    window.addEventListener("pagehide", clear);
    return () => {
      clear();
      window.removeEventListener("pagehide", clear);
    };
  }, []);
  return (
    <fieldset ref={box}>
      <legend>Value</legend>
      <div class="choices">
        {(Object.keys(WAYS) as Way[]).map((each) => (
          <label key={each}>
            <input type="radio" name="way" value={each} checked={way === each} onChange={() => setWay(each)} />
            {WAYS[each]}
          </label>
        ))}
      </div>
      {way === "type" && (
        <>
          <Field label="New value" name="value" hint="It can be written here and not read again: whoever may resolve the secret gets it, on the record.">
            <textarea
              ref={text}
              id="value"
              rows={3}
              class={shown ? undefined : "masked"}
              autoComplete="off"
              autoCapitalize="off"
              spellcheck={false}
              data-1p-ignore
              data-lpignore="true"
              required
              aria-describedby={hintOf("value")}
            />
          </Field>
          <div class="check">
            <input id="shown" type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
            <label htmlFor="shown">Show what I type</label>
          </div>
        </>
      )}
      {way === "generate" && (
        <>
          <div class="pair">
            <TextField label="Length" name="length" type="number" min={8} max={1024} value="32" required />
            <ChoiceField
              label="Characters"
              name="alphabet"
              value="letters"
              choices={Object.fromEntries(Object.entries(ALPHABETS).map(([name, { title }]) => [name, title]))}
            />
          </div>
          <small class="hint">It is made in this browser, sent, and shown to nobody.</small>
        </>
      )}
      {way === "file" && (
        <Field label="File" name="file" hint="Its bytes are the value, up to 65,536 of them. A line break at the end is part of it.">
          <input ref={file} id="file" type="file" required aria-describedby={hintOf("file")} />
        </Field>
      )}
    </fieldset>
  );
}

function lengthOf(text: string): number {
  const length = Number(text);
  if (!Number.isInteger(length) || length < 8 || length > 1024) throw new RangeError("A length is a whole number from 8 to 1,024.");
  return length;
}

async function readFile(file: File | undefined): Promise<string | Uint8Array> {
  if (!file) throw new TypeError("Choose a file.");
  if (file.size > MOST_BYTES) throw new RangeError("A value has at most 65,536 bytes.");
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // No text: the bytes themselves are the value.
    return bytes;
  }
}
