/**
 * Stands in for the reply to a delete that was carried out by an attempt whose own reply was lost. What that one said is not
 * known, such as until when what was deleted can come back.
 */
export class LostReply extends Response {
  constructor() {
    super(null, { status: 204 });
  }
}
