import { useState } from "preact/hooks";
import type { CreateTokenReply, TokenBody } from "../../contract/token.ts";
import { client } from "../client.ts";
import { numberOf, textOf } from "../form-data.ts";
import type { PageProps } from "../page-props.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { Failure } from "../parts/failure.tsx";
import { ChoiceField, TextField } from "../parts/field.tsx";
import { Grant } from "../parts/grant.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Pager } from "../parts/pager.tsx";
import { grantOf, PermissionFields } from "../parts/permission-fields.tsx";
import { Table } from "../parts/table.tsx";
import { TakeAlong } from "../parts/take-along.tsx";
import { Time } from "../parts/time.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** The tokens that were minted: new ones, and an end to others. */
export function Tokens({ address: { query } }: PageProps) {
  const may = useMay("tokens:write");
  const cursor = query.get("cursor") || undefined;
  const list = useLoad((signal) => client.tokens.list({ limit: 100, ...(cursor !== undefined && { cursor }) }, { signal }), [cursor], may);
  const revoke = async ({ id, label }: TokenBody) => {
    await client.tokens.revoke(id);
    tell(`${label} is revoked.`);
    list.reload();
  };
  return (
    <Page title="Tokens" about="For pipelines, gateways and agents. Nobody mints a token that may do more than their own.">
      <Lacks of={{ "tokens:write": "you can neither see nor mint nor revoke tokens" }} />
      {may && <Mint onChange={list.reload} />}
      <Loaded of={list} what="Tokens">
        {({ tokens, next_cursor }) => (
          <>
            <Table
              caption="Tokens"
              rows={tokens}
              keyOf={({ id }) => id}
              empty="No tokens were minted here."
              classOf={(token) => (isOver(token) ? "gone" : undefined)}
              columns={[
                { title: "Label", cell: ({ label }) => label },
                { title: "May", cell: (token) => <Grant permissions={token.permissions} limits={token} /> },
                { title: "State", cell: (token) => <State token={token} /> },
                {
                  title: "Minted",
                  cell: ({ created_at, created_by }) => (
                    <>
                      <Time at={created_at} /> <span class="quiet">by {created_by}</span>
                    </>
                  ),
                },
                {
                  title: "Actions",
                  kind: "actions",
                  cell: (token) =>
                    !isOver(token) && (
                      <ConfirmButton
                        label="Revoke"
                        name={`Revoke ${token.label}`}
                        question={`Revoke ${token.label}?`}
                        confirm="Revoke"
                        disabled={!may}
                        act={() => revoke(token)}
                      >
                        <p>It ends with the next request, and with it what it minted. There is no way back.</p>
                      </ConfirmButton>
                    ),
                },
              ]}
            />
            <Pager path="/tokens" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function isOver({ revoked_at, expires_at }: TokenBody): boolean {
  return revoked_at !== null || Date.parse(expires_at) <= Date.now();
}

function State({ token }: { token: TokenBody }) {
  if (token.revoked_at !== null)
    return (
      <span class="badge bad">
        revoked <Time at={token.revoked_at} />
      </span>
    );
  return (
    <span class={isOver(token) ? "badge" : "badge good"}>
      {isOver(token) ? "expired" : "expires"} <Time at={token.expires_at} />
    </span>
  );
}

const DAYS = { "3600": "1 hour", "86400": "1 day", "604800": "7 days", "2592000": "30 days", "7776000": "90 days", "31536000": "365 days" } as const;

function Mint({ onChange }: { onChange: () => void }) {
  const [made, setMade] = useState<CreateTokenReply>();
  const minting = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const token = { label: textOf(data, "label") ?? "", ...grantOf(data), expires_in: numberOf(data, "expires_in") ?? 3600 };
    setMade(await client.tokens.create(token));
    form.reset();
    onChange();
  });
  return (
    <>
      {made && <TakeAlong key={made.id} what={`The token ${made.label} is minted.`} file={`${made.label}.token`} text={made.token} />}
      <details>
        <summary>Mint a token</summary>
        <div>
          <form
            class="form"
            onSubmit={(event) => {
              event.preventDefault();
              minting.run(event.currentTarget);
            }}
          >
            <TextField label="Label" name="label" required hint="Who will use it; the audit log names it." />
            <PermissionFields />
            <ChoiceField label="Valid for" name="expires_in" value="86400" choices={DAYS} />
            <Failure error={minting.error} what="No token is minted" />
            <div class="actions">
              <button type="submit" class="primary" disabled={minting.running}>
                Mint
              </button>
            </div>
          </form>
        </div>
      </details>
    </>
  );
}
