/** Worker secrets for tests. They protect nothing. */
export const TEST_SECRETS = {
  ROOT_KEY: "QniB+t4tdQOKyfba/Rp4U4GGwtyUbzbJZsdKtNiZ9LI=",
  KEYRING: '{"current":"k1","keys":{"k1":"cOCcO47IcDOBZetDp8J68rUV9Be3yQi7NyD4pJQ6YfmBz5RqcGxOAQ=="},"seals":"required"}',
  SIGNING_KEY:
    '{"kty":"OKP","crv":"Ed25519","x":"Jx6pvVqQOclSV9Kl7tl8GZjegZvLvwfTRBSbqYwnrO4","d":"6ZIu4slUtaPHAVOfRQ09ueexje703XeyZBwwSvy1bVM","kid":"smwqxu5fw"}',
};

/** The same keyring as that of a deployment from before there were seals: rows without one are taken as they are. */
export const UNSEALED_KEYRING = TEST_SECRETS.KEYRING.replace(',"seals":"required"', "");

/** A signing key that the Worker under test does not know. */
export const FOREIGN_SIGNING_KEY =
  '{"kty":"OKP","crv":"Ed25519","x":"S4tV_BanNPNPkE5mbebzgMsf2bJnuBf_XRd8yDXJ4Uc","d":"-ASKFzLvwI_J8E44pVxI3u_qt4KnPReW0HRRAVfsspg","kid":"smwqxu5fx"}';
