import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useSession } from "../session.ts";

interface PageProps {
  readonly title: string;
  readonly about?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A page: its heading has the focus when it is shown, so that the keyboard and screen readers begin there. */
export function Page({ title, about, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { organization } = useSession();
  // Together with what is on the screen: later, the focus would be taken from where somebody has gone by then.
  useLayoutEffect(() => {
    document.title = `${title} · ${organization} · Keyhole`;
  }, [title, organization]);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <>
      <header class="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {about && <p class="about">{about}</p>}
      {children}
    </>
  );
}
