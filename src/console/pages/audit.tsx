import { useState } from "preact/hooks";
import type { AuditFilter } from "../../client/create-client.ts";
import { ACTIONS, OUTCOMES } from "../../contract/actions.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { inputTime, textOf, timeOf } from "../form-data.ts";
import type { PageProps } from "../page-props.ts";
import { Export } from "../parts/export.tsx";
import { ChoiceField, TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Pager } from "../parts/pager.tsx";
import { SealState } from "../parts/seal-state.tsx";
import { Timeline } from "../parts/timeline.tsx";
import { useMay } from "../session.ts";
import { useInterval } from "../use-interval.ts";
import { useLoad } from "../use-load.ts";

/** Milliseconds from one look for new events to the next. */
const PERIOD = 4_000;
const TEXTS = ["action", "actor", "secret_id", "outcome"] as const;

/** The filters of the address. */
function filterOf(query: URLSearchParams): AuditFilter {
  const given = (name: string) => query.get(name) || undefined;
  return {
    ...{ action: given("action"), actor: given("actor"), secret_id: given("secret_id"), since: given("since"), until: given("until") },
    outcome: given("outcome") as AuditFilter["outcome"],
  };
}

/** What has happened, newest first; live, whether it is as it was signed, and for taking along. */
export function Audit({ address: { query } }: PageProps) {
  const filter = filterOf(query);
  const cursor = query.get("cursor") || undefined;
  const may = useMay("audit:read");
  const [live, setLive] = useState(false);
  const list = useLoad((signal) => client.audit.list({ ...filter, cursor, limit: 100 }, { signal }), [query.toString()], may);
  useInterval(list.reload, may && live && cursor === undefined ? PERIOD : null);
  return (
    <Page title="Audit log" about="Every write, every value that left, and every refusal, newest first.">
      <Lacks of={{ "audit:read": "you cannot read the audit log" }} />
      <Filters key={query.toString()} query={query} />
      <div class="actions">
        <label class="actions">
          <input type="checkbox" checked={live} disabled={!may || cursor !== undefined} onChange={(event) => setLive(event.currentTarget.checked)} />
          Live
        </label>
        <Export filter={filter} />
        <SealState />
      </div>
      {filter.secret_id && (
        <p class="quiet">
          Only what names the secret <code>{filter.secret_id}</code>.{" "}
          <a href={hrefOf("/audit", { secret_id: filter.secret_id, action: "secret.resolve" })}>Who had it, and when</a>
        </p>
      )}
      <Loaded of={list} what="Events">
        {({ events, next_cursor }) => (
          <>
            <Timeline events={events} />
            <Pager path="/audit" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Filters({ query }: { query: URLSearchParams }) {
  const given = (name: string) => query.get(name) ?? "";
  const apply = (form: HTMLFormElement) => {
    const data = new FormData(form);
    const texts = Object.fromEntries(TEXTS.map((name) => [name, textOf(data, name)]));
    goTo(hrefOf("/audit", { ...texts, since: timeOf(data, "since"), until: timeOf(data, "until") }));
  };
  const all = (choices: readonly string[]) => Object.fromEntries([["", "All"], ...choices.map((choice) => [choice, choice])]);
  return (
    <search>
      <form
        class="filters"
        aria-label="Filter the events"
        onSubmit={(event) => {
          event.preventDefault();
          apply(event.currentTarget);
        }}
      >
        <ChoiceField label="Action" name="action" value={given("action")} choices={all(ACTIONS)} />
        <TextField label="Actor" name="actor" value={given("actor")} />
        <ChoiceField label="Outcome" name="outcome" value={given("outcome")} choices={all(OUTCOMES)} />
        <TextField label="Id of a secret" name="secret_id" value={given("secret_id")} />
        <TextField label="Since" name="since" type="datetime-local" value={inputTime(query.get("since"))} />
        <TextField label="Until" name="until" type="datetime-local" value={inputTime(query.get("until"))} />
        <div class="actions">
          <button type="submit">Filter</button>
        </div>
      </form>
    </search>
  );
}
