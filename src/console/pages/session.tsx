import { PERMISSIONS } from "../../contract/permissions.ts";
import { Page } from "../parts/page.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useSession } from "../session.ts";

/** What each permission is for, in a few words. */
const ABOUT: Readonly<Record<(typeof PERMISSIONS)[number], string>> = {
  "secrets:read": "see secrets and their metadata, and where they come from",
  "secrets:write": "set, change, delete and bring back secrets",
  "secrets:resolve": "be given values (never in the console)",
  "secrets:use": "use services without seeing values",
  "services:write": "declare services",
  "stores:write": "declare stores",
  "webhooks:write": "declare webhooks",
  "tokens:write": "mint and revoke tokens",
  "trusts:write": "trust issuers of identity tokens",
  "audit:read": "read and verify the audit log",
  "audit:write": "accept that a restore has set logs back",
  "metrics:read": "read the metrics",
  "keys:read": "see keys, backlog and findings",
  "keys:write": "re-wrap data keys and seal rows",
  "backup:read": "read backups",
  "backup:write": "restore a backup",
};

/** Who is logged in, and what they may. */
export function SessionPage() {
  const session = useSession();
  return (
    <Page title="Your session" about="What you may do here. A session never has more than what it was logged in with, and ends with it.">
      <dl class="facts">
        <dt>Organization</dt>
        <dd>{session.organization}</dd>
        <dt>Subject</dt>
        <dd>{session.subject}</dd>
        <dt>Scopes</dt>
        <dd>
          <Limit of={session.secret_scopes} />
        </dd>
        <dt>Names</dt>
        <dd>
          <Limit of={session.secret_names} />
        </dd>
        <dt>Services</dt>
        <dd>
          <Limit of={session.services} />
        </dd>
        <dt>Ends at the latest</dt>
        <dd>
          <Time at={session.expires_at} />
        </dd>
        <dt>Ends when idle</dt>
        <dd>
          <Time at={session.idle_expires_at} />
        </dd>
      </dl>
      <h2>Permissions</h2>
      <Table
        caption="Permissions"
        rows={PERMISSIONS}
        keyOf={(permission) => permission}
        empty=""
        columns={[
          { title: "Permission", cell: (permission) => <code>{permission}</code> },
          {
            title: "Yours",
            cell: (permission) =>
              session.permissions.includes(permission) ? <span class="badge good">yes</span> : <span class="badge">your token lacks it</span>,
          },
          { title: "For", cell: (permission) => ABOUT[permission] },
        ]}
      />
    </Page>
  );
}

function Limit({ of }: { of: readonly string[] | null }) {
  if (of === null) return <span class="quiet">all</span>;
  return (
    <span class="badges">
      {of.map((pattern) => (
        <code key={pattern} class="badge">
          {pattern}
        </code>
      ))}
    </span>
  );
}
