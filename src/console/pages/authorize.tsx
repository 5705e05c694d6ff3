import type { PageProps } from "../page-props.ts";
import { AnswerButtons } from "../parts/answer-buttons.tsx";
import { GivenPermissions } from "../parts/given-permissions.tsx";
import { Page } from "../parts/page.tsx";
import { useSession } from "../session.ts";
import { answerProgram } from "../session-calls.ts";
import { useTask } from "../use-task.ts";

/** A program on this machine wants a token: what it would get, and whether it does. */
export function Authorize({ address: { query } }: PageProps) {
  const { organization, subject, permissions } = useSession();
  const answering = useTask((approved: boolean) => {
    const state = query.get("state");
    const request = { redirect_uri: query.get("redirect_uri") ?? "", code_challenge: query.get("code_challenge") ?? "", ...(state !== null && { state }) };
    return answerProgram(organization, request, approved);
  });
  return (
    <Page
      title="Log in the command line?"
      about="A program on this machine asks for a token that may do what you may do here. It ends with what you are logged in by, not when you log out. If you have not just started keyhole login yourself, refuse."
    >
      <dl class="facts">
        <dt>Organization</dt>
        <dd>
          <strong>{organization}</strong>
        </dd>
        <dt>Subject</dt>
        <dd>{subject}</dd>
        <dt>Permissions</dt>
        <dd>
          <GivenPermissions of={permissions} />
        </dd>
        <dt>The answer goes to</dt>
        <dd>
          <code>{query.get("redirect_uri")}</code>
        </dd>
      </dl>
      <AnswerButtons answering={answering} what="The answer" yes={`Log it in to ${organization}`} />
    </Page>
  );
}
