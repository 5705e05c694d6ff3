import type { ComponentChildren } from "preact";

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** The name of the input, which is its id too. */
  readonly name: string;
  readonly children: ComponentChildren;
}

/** An input with its label and what it is for. The input has `id={name}`, and `aria-describedby={hintOf(name)}` where there is a hint. */
export function Field({ label, hint, name, children }: FieldProps) {
  return (
    <div class="field">
      <label htmlFor={name}>{label}</label>
      {children}
      {hint !== undefined && (
        <small id={hintOf(name)} class="hint">
          {hint}
        </small>
      )}
    </div>
  );
}

/** The id of a field's hint. */
export function hintOf(name: string): string {
  return `${name}-hint`;
}

interface TextFieldProps extends Omit<FieldProps, "children"> {
  readonly value?: string | undefined;
  readonly required?: boolean;
  readonly placeholder?: string;
  readonly list?: string;
  readonly type?: "text" | "number" | "datetime-local" | "search" | "url";
  readonly min?: number;
  readonly max?: number;
  readonly readOnly?: boolean;
}

/** A line of text. */
export function TextField({ label, hint, name, value = "", type = "text", ...rest }: TextFieldProps) {
  return (
    <Field label={label} name={name} hint={hint}>
      <input
        id={name}
        name={name}
        type={type}
        defaultValue={value}
        autoComplete="off"
        spellcheck={false}
        aria-describedby={hint === undefined ? undefined : hintOf(name)}
        {...rest}
      />
    </Field>
  );
}

/** Several lines of text. */
export function LinesField({ label, hint, name, value = "", rows = 3, ...rest }: Omit<TextFieldProps, "type" | "list" | "min" | "max"> & { rows?: number }) {
  return (
    <Field label={label} name={name} hint={hint}>
      <textarea
        id={name}
        name={name}
        rows={rows}
        defaultValue={value}
        autoComplete="off"
        spellcheck={false}
        aria-describedby={hint === undefined ? undefined : hintOf(name)}
        {...rest}
      />
    </Field>
  );
}

interface ChoiceFieldProps extends Omit<FieldProps, "children"> {
  readonly value?: string | undefined;
  /** What each choice is called, by what is sent. */
  readonly choices: Readonly<Record<string, string>>;
  readonly onChoose?: (value: string) => void;
}

/** One of several. */
export function ChoiceField({ label, hint, name, value = "", choices, onChoose }: ChoiceFieldProps) {
  return (
    <Field label={label} name={name} hint={hint}>
      <select
        id={name}
        name={name}
        aria-describedby={hint === undefined ? undefined : hintOf(name)}
        onChange={(event) => onChoose?.(event.currentTarget.value)}
      >
        {Object.entries(choices).map(([choice, title]) => (
          <option key={choice} value={choice} selected={choice === value}>
            {title}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Something that is so or not. */
export function CheckField({ label, hint, name, value = false }: Omit<FieldProps, "children"> & { value?: boolean }) {
  return (
    <div class="check">
      <input id={name} name={name} type="checkbox" defaultChecked={value} aria-describedby={hint === undefined ? undefined : hintOf(name)} />
      <label htmlFor={name}>{label}</label>
      {hint !== undefined && (
        <small id={hintOf(name)} class="hint">
          {hint}
        </small>
      )}
    </div>
  );
}
