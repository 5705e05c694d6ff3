/** What is kept in an isolate's memory, encrypted. */
export interface KeptSealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
}

/** Encrypts what an isolate keeps, under a key of its own: whatever shows its memory as texts shows nothing of that. */
export interface MemoryCipher {
  /** Encrypts with AES-256-GCM (NIST SP 800-38D), bound to the name that it is kept under. */
  seal(name: string, bytes: Uint8Array): Promise<KeptSealed>;
  open(name: string, kept: KeptSealed): Promise<Uint8Array>;
}

/** Makes one whose key, which is not extractable, nobody else has. */
export function createMemoryCipher(): MemoryCipher {
  const key = crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]) as Promise<CryptoKey>;
  const algorithm = (iv: Uint8Array<ArrayBuffer>, name: string) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) });
  return {
    async seal(name, bytes) {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      return { iv, sealed: await crypto.subtle.encrypt(algorithm(iv, name), await key, new Uint8Array(bytes)) };
    },
    open: async (name, { iv, sealed }) => new Uint8Array(await crypto.subtle.decrypt(algorithm(iv, name), await key, sealed)),
  };
}

const ciphers = new WeakMap<object, MemoryCipher>();

/** That of the configuration which a keyring is of: when that is read anew, nothing of before opens any more. */
export function memoryCipherOf(keyring: object): MemoryCipher {
  const cipher = ciphers.get(keyring) ?? createMemoryCipher();
  ciphers.set(keyring, cipher);
  return cipher;
}
