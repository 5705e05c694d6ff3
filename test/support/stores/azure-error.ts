/** An error as Azure's APIs write it. */
export class AzureError extends Error {
  constructor(
    readonly status: number,
    readonly body: object,
    readonly headers: Record<string, string> = {},
  ) {
    super(`Azure answers ${status}`);
  }
}

/** An error of Key Vault's. */
export function vaultError(status: number, code: string, message: string, inner?: string): AzureError {
  return new AzureError(status, { error: { code, message, ...(inner !== undefined && { innererror: { code: inner } }) } });
}
