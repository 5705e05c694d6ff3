import type { Explanation } from "../../client/create-client.ts";
import { hrefOf } from "../address.ts";
import type { Origins } from "../find-origins.ts";
import { type Fate, type Held, judgeOrigin } from "../judge-origin.ts";
import { LockIcon } from "./lock-icon.tsx";

const SIGNS: Readonly<Record<Fate, { readonly sign: string; readonly says: string }>> = {
  wins: { sign: "●", says: "wins" },
  shadowed: { sign: "○", says: "shadowed" },
  expired: { sign: "✕", says: "expired" },
  barred: { sign: "■", says: "barred by a lock elsewhere" },
};

/** The chain of scopes as a picture: each with what it holds, and what becomes of it. */
export function Chain({ origins: { chain, explanations } }: { origins: Origins }) {
  return (
    <>
      <h2 class="unseen">The chain of scopes</h2>
      <ol class="chain" aria-label="The scopes in the order in which they are searched">
        {chain.map((scope) => (
          <Station key={scope} scope={scope} explanations={explanations} />
        ))}
      </ol>
      <ul class="legend quiet small">
        {Object.entries(SIGNS).map(([fate, { sign, says }]) => (
          <li key={fate}>
            <span aria-hidden="true">{sign}</span> {says}
          </li>
        ))}
        <li>
          <LockIcon /> locked: it wins over narrower scopes
        </li>
      </ul>
    </>
  );
}

function Station({ scope, explanations }: { scope: string; explanations: readonly Explanation[] }) {
  const held = explanations.flatMap((explanation) =>
    judgeOrigin(explanation)
      .filter((one) => one.scope === scope)
      .map((one) => ({ ...one, name: explanation.name })),
  );
  const [kind = "", name] = split(scope);
  return (
    <li>
      <h3>
        <span class="kind">{name === undefined ? "scope" : kind}</span>
        {scope === "builtin" ? "builtin" : <a href={hrefOf("/secrets", { scope })}>{name ?? kind}</a>}
      </h3>
      {held.length === 0 ? <p class="quiet small">holds nothing</p> : <Names held={held} scope={scope} />}
    </li>
  );
}

function Names({ held, scope }: { held: readonly (Held & { readonly name: string })[]; scope: string }) {
  return (
    <ul aria-label={`What ${scope} holds`}>
      {held.map(({ name, fate, locked }) => (
        <li key={name} class={`held ${fate}`}>
          <span class="sign" aria-hidden="true">
            {SIGNS[fate].sign}
          </span>
          <span>
            {name}
            <span class="unseen"> {SIGNS[fate].says}</span>
          </span>
          {locked && (
            <>
              <LockIcon />
              <span class="unseen">, locked</span>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function split(scope: string): [string, string?] {
  const at = scope.indexOf(":");
  return at === -1 ? [scope] : [scope.slice(0, at), scope.slice(at + 1)];
}
