import type { SecretBody, VersionPage } from "../../client/create-client.ts";
import { client } from "../client.ts";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { ConfirmButton } from "./confirm-button.tsx";
import { Loaded } from "./loaded.tsx";
import { Table } from "./table.tsx";
import { Time } from "./time.tsx";

type Version = VersionPage["versions"][number];

/** The versions of a secret, newest first, with the way back to an earlier one. */
export function Versions({ secret, onChange }: { secret: SecretBody; onChange: () => void }) {
  const { id, name } = secret;
  const may = useMay("secrets:write");
  const list = useLoad((signal) => client.secrets.versions(id, { limit: 200 }, { signal }), [id, secret.version, secret.updated_at]);
  const rollBack = async ({ version }: Version) => {
    await client.secrets.rollback(id, version);
    tell(`${name} has the value of version ${version} again.`, async () => {
      await client.secrets.rollback(id, secret.version);
      onChange();
    });
    onChange();
  };
  const destroy = async ({ version }: Version) => {
    await client.secrets.destroyVersion(id, version);
    tell(`Version ${version} of ${name} is destroyed.`);
    list.reload();
  };
  return (
    <Loaded of={list} what="Versions">
      {({ versions, next_cursor }) => (
        <>
          <Table
            caption={`Versions of ${name}`}
            rows={versions}
            keyOf={({ version }) => version}
            empty="There are no versions."
            classOf={({ state }) => (state === "destroyed" ? "gone" : undefined)}
            columns={[
              { title: "Version", cell: ({ version }) => `Version ${version}` },
              { title: "State", cell: ({ state }) => <span class={state === "current" ? "badge good" : "badge"}>{state}</span> },
              {
                title: "Set",
                cell: ({ created_at, created_by }) => (
                  <>
                    <Time at={created_at} /> <span class="quiet">by {created_by}</span>
                  </>
                ),
              },
              {
                title: "Actions",
                kind: "actions",
                cell: (version) =>
                  version.state === "previous" && (
                    <>
                      <ConfirmButton
                        harmless
                        label="Roll back"
                        name={`Roll back to version ${version.version}`}
                        question={`Roll back to version ${version.version}?`}
                        confirm="Roll back"
                        disabled={!may}
                        act={() => rollBack(version)}
                      >
                        <p>Its value becomes the current one, as a new version. Nobody reads it for that.</p>
                      </ConfirmButton>
                      <ConfirmButton
                        label="Destroy"
                        name={`Destroy version ${version.version}`}
                        question={`Destroy version ${version.version} for good?`}
                        confirm="Destroy for good"
                        disabled={!may}
                        act={() => destroy(version)}
                      >
                        <p>Its key is deleted at once. Nothing brings the value back.</p>
                      </ConfirmButton>
                    </>
                  ),
              },
            ]}
          />
          {next_cursor !== null && <p class="quiet">The newest 200 are shown.</p>}
        </>
      )}
    </Loaded>
  );
}
