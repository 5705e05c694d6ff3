import { useEffect, useState } from "preact/hooks";

/** How long somebody has seen what they answer, at the least, in milliseconds: longer than two clicks are apart. */
const SEEN = 1_000;

/**
 * Whether the page has been in front for a second. Who is made to click twice on a window before it, which closes at the first click, has not
 * read what is under the second one.
 */
export function useSettled(): boolean {
  const [settled, setSettled] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const begin = () => {
      clearTimeout(timer);
      setSettled(false);
      if (document.hasFocus()) timer = setTimeout(() => setSettled(true), SEEN);
    };
    begin();
    window.addEventListener("focus", begin);
    window.addEventListener("blur", begin);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("focus", begin);
      window.removeEventListener("blur", begin);
    };
  }, []);
  return settled;
}
