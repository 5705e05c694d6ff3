import { useEffect, useState } from "preact/hooks";
import { type Address, goTo, hrefOf } from "./address.ts";
import { MENU, pageOf } from "./pages.tsx";
import { Failure } from "./parts/failure.tsx";
import { Page } from "./parts/page.tsx";
import { Toasts } from "./parts/toasts.tsx";
import { useSession } from "./session.ts";
import { logOut } from "./session-calls.ts";
import { useTask } from "./use-task.ts";

/** The menu, with the organization always in sight, and the page. */
export function Frame({ address, onLogout }: { address: Address; onLogout: () => void }) {
  const { organization, subject } = useSession();
  const [open, setOpen] = useState(false);
  const { path } = address;
  useEffect(() => {
    if (path === "/") goTo(hrefOf("/secrets"), { replace: true });
  }, [path]);
  // A menu that was opened closes on the way to a page.
  useEffect(() => setOpen(false), [path]);
  const leaving = useTask(async () => {
    await logOut();
    onLogout();
  });
  const found = pageOf(path);
  const here = found?.under;
  return (
    <div class="frame">
      <a class="skip" href="#page">
        Skip to the page
      </a>
      <header class={open ? "side open" : "side"}>
        <a class="brand" href={hrefOf("/secrets")}>
          <img src={hrefOf("/favicon.svg")} alt="" />
          Keyhole
        </a>
        <button type="button" class="menu-button" aria-expanded={open} aria-controls="menu" onClick={() => setOpen(!open)}>
          Menu
        </button>
        <div class="organization">
          <small class="quiet">Organization</small>
          <strong>{organization}</strong>
        </div>
        <nav id="menu" aria-label="Pages">
          {MENU.map(({ group, entries }) => (
            <div key={group}>
              <p class="group">{group}</p>
              <ul>
                {Object.entries(entries).map(([target, title]) => (
                  <li key={target}>
                    <a href={hrefOf(target)} aria-current={here === target ? "page" : undefined}>
                      {title}
                    </a>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </nav>
        <div class="side-foot">
          <a href={hrefOf("/session")} aria-current={here === "/session" ? "page" : undefined}>
            {subject}
          </a>
          <button type="button" onClick={leaving.run} disabled={leaving.running}>
            Log out
          </button>
          <Failure error={leaving.error} what="Log out" />
        </div>
      </header>
      <main id="page" tabIndex={-1}>
        {found ? <found.page key={path} address={address} id={found.id} /> : path !== "/" && <NoSuchPage />}
      </main>
      <Toasts />
    </div>
  );
}

function NoSuchPage() {
  return (
    <Page title="No such page">
      <p>
        There is nothing at this address. <a href={hrefOf("/secrets")}>To the secrets</a>
      </p>
    </Page>
  );
}
