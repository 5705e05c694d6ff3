import { useSettled } from "../use-settled.ts";
import type { Task } from "../use-task.ts";
import { Failure } from "./failure.tsx";

/** Yes or no to a program that wants to be let in, and what went wrong with the answer. */
export function AnswerButtons({ answering, what, yes }: { answering: Task<readonly [boolean]>; what: string; yes: string }) {
  const settled = useSettled();
  return (
    <>
      <Failure error={answering.error} what={what} />
      <div class="actions">
        <button type="button" onClick={() => answering.run(false)} disabled={answering.running}>
          Refuse
        </button>
        <button type="button" class="primary" onClick={() => answering.run(true)} disabled={!settled || answering.running}>
          {yes}
        </button>
      </div>
    </>
  );
}
