import { useEffect, useRef, useState } from "preact/hooks";
import { DOUBTS, type Doubt, SKIPPABLE, type Skippable } from "../../contract/doubts.ts";
import type { ImportReply } from "../../contract/import.ts";
import { hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { textOf } from "../form-data.ts";
import type { PageProps } from "../page-props.ts";
import { Failure } from "../parts/failure.tsx";
import { CheckField, Field, hintOf, TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Page } from "../parts/page.tsx";
import { ScopeSuggestions } from "../parts/scope-suggestions.tsx";
import { Table } from "../parts/table.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useTask } from "../use-task.ts";

const MOST_BYTES = 1_048_576;

/** What would become of each name, or has become. */
interface Outcome {
  readonly scope: string;
  readonly reply: ImportReply;
  readonly done: boolean;
}

/** Takes a `.env` file into a scope: first as a dry run, which shows what would change, then all or none of it. */
export function ImportPage({ address: { query } }: PageProps) {
  const may = useMay("secrets:write");
  const form = useRef<HTMLFormElement>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const [outcome, setOutcome] = useState<Outcome>();
  const clear = () => {
    if (text.current) text.current.value = "";
    if (file.current) file.current.value = "";
  };
  useEffect(() => {
    window.addEventListener("pagehide", clear);
    return () => {
      clear();
      window.removeEventListener("pagehide", clear);
    };
  }, []);
  const importing = useTask(async (dryRun: boolean) => {
    if (!form.current) return;
    const data = new FormData(form.current);
    const scope = textOf(data, "scope") ?? "";
    const allow = (Object.keys(DOUBTS) as Doubt[]).filter((doubt) => data.has(`allow-${doubt}`));
    const skip = SKIPPABLE.filter((reason): reason is Skippable => data.has(`skip-${reason}`));
    const chosen = file.current?.files?.[0];
    if (chosen && chosen.size > MOST_BYTES) throw new RangeError("A file has at most 1 MiB.");
    const lines = chosen ? await chosen.text() : (text.current?.value ?? "");
    if (lines.trim() === "") throw new TypeError("Give lines of NAME=value, or choose a file.");
    const reply = await client.secrets.import(scope, lines, { dryRun, allow, skip });
    setOutcome({ scope, reply, done: !dryRun });
    if (dryRun) return;
    clear();
    tell(`${reply.created.length + reply.updated.length} secrets are set in ${scope}.`);
  });
  return (
    <Page title="Import" about="Lines of NAME=value, as in a .env file, become secrets of one scope: all of them, or none.">
      <Lacks of={{ "secrets:write": "you cannot import" }} />
      <form
        ref={form}
        class="form"
        // What the dry run has shown is of what was there then.
        onInput={() => setOutcome(undefined)}
        onSubmit={(event) => {
          event.preventDefault();
          importing.run(true);
        }}
      >
        <TextField label="Scope" name="scope" list="scopes" required value={query.get("scope") ?? ""} />
        <ScopeSuggestions id="scopes" />
        <Field label="File" name="file" hint="It is read in this browser, and sent when you ask for the dry run.">
          <input ref={file} id="file" type="file" aria-describedby={hintOf("file")} />
        </Field>
        <Field label="Or its lines" name="lines" hint="They are hidden, and cleared after the import.">
          <textarea
            ref={text}
            id="lines"
            rows={5}
            class="masked"
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            data-1p-ignore
            data-lpignore="true"
            aria-describedby={hintOf("lines")}
          />
        </Field>
        <details>
          <summary>What is taken as it is, or left out</summary>
          <div>
            {Object.entries(DOUBTS).map(([doubt, about]) => (
              <CheckField key={doubt} label={`Take: ${doubt}`} name={`allow-${doubt}`} hint={about.replaceAll("`", "")} />
            ))}
            <CheckField label="Leave out: empty values" name="skip-empty" />
            <CheckField label="Leave out: reserved names" name="skip-reserved" />
          </div>
        </details>
        <Failure error={importing.error} what="Nothing is imported" />
        <div class="actions">
          <button type="submit" class={outcome ? undefined : "primary"} disabled={!may || importing.running}>
            {importing.running ? "Working …" : "Dry run"}
          </button>
          {outcome && !outcome.done && (
            <button type="button" class="primary" disabled={importing.running} onClick={() => importing.run(false)}>
              Import {outcome.reply.created.length + outcome.reply.updated.length} into {outcome.scope}
            </button>
          )}
        </div>
      </form>
      {outcome && <Difference outcome={outcome} />}
    </Page>
  );
}

const SIGNS = {
  created: { sign: "+", title: "new", done: "created", kind: "good" },
  updated: { sign: "~", title: "other value", done: "updated", kind: "warn" },
  unchanged: { sign: "=", title: "the same", done: "unchanged", kind: "" },
  skipped: { sign: "−", title: "left out", done: "left out", kind: "" },
} as const;

function Difference({ outcome: { scope, reply, done } }: { outcome: Outcome }) {
  const of = (state: keyof typeof SIGNS, names: readonly string[]) => names.map((name) => ({ name, state, why: "" }));
  const rows = [
    ...of("created", reply.created),
    ...of("updated", reply.updated),
    ...of("unchanged", reply.unchanged),
    ...(reply.skipped ?? []).map(({ name, reason }) => ({ name, state: "skipped" as const, why: reason })),
  ];
  return (
    <section aria-label={done ? "What has changed" : "What would change"}>
      <h2>
        {done ? "What has changed in" : "What would change in"} <a href={hrefOf("/secrets", { scope })}>{scope}</a>
      </h2>
      <Table
        caption={done ? "What has changed" : "What would change"}
        rows={rows}
        keyOf={({ name, state }) => `${state} ${name}`}
        empty="Nothing."
        columns={[
          {
            title: "Name",
            cell: ({ name, state }) => (
              <code>
                <span aria-hidden="true">{SIGNS[state].sign}</span> {name}
              </code>
            ),
          },
          {
            title: "Change",
            cell: ({ state, why }) => (
              <span class={`badge ${SIGNS[state].kind}`}>
                {done ? SIGNS[state].done : SIGNS[state].title}
                {why && `: ${why}`}
              </span>
            ),
          },
        ]}
      />
    </section>
  );
}
