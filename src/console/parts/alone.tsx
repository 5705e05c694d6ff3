import type { ComponentChildren } from "preact";
import { hrefOf } from "../address.ts";

/** A page without the menu: for who is not logged in, and for what needs a decision first. */
export function Alone({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="alone">
      <p class="brand">
        <img src={hrefOf("/favicon.svg")} alt="" />
        Keyhole
      </p>
      <h1>{title}</h1>
      {children}
    </main>
  );
}
