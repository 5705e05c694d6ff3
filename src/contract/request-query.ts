/**
 * What stands in a query as it is: what RFC 3986, section 3.4, allows, and what the URL parser leaves as it is beside that.
 * It sends `'` as `%27`, which is the same to everybody who decodes; anything else that it would change is refused.
 */
const AS_SENT = /^[\w.~!$&'()*+,;=:@/?[\]|\\^`{}%-]*$/;

/** Whether a query, without its `?`, is sent on as it arrived. */
export function isSendableQuery(query: string): boolean {
  return AS_SENT.test(query);
}
