/** The words of RFC 8693, and of RFC 6749, section 5.2, that the token endpoint knows. */
export const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
export const JWT_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt";
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";
export const OAUTH_ERRORS = [
  ...(["invalid_request", "invalid_scope", "invalid_client", "invalid_grant", "unsupported_grant_type", "temporarily_unavailable"] as const),
  // While a device waits (RFC 8628, section 3.5).
  ...(["authorization_pending", "slow_down", "access_denied", "expired_token"] as const),
] as const;
