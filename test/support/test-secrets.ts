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

/** A key for identity tokens, which the Worker under test has only where a test says so. */
export const OIDC_TEST_KEY =
  '{"kty":"RSA","n":"pZRGL-5EwQr2lGEVrEFMzkIpORPPhtaKB9yQlZG08oHsi4cYydxbCTOy7j54YUjYqQKQl2-FrO-e8B8Dgx8paQSLoiPUgDUsMX27b9x5MJQ1ASLeOt_HDF_NAkJhmTve4kO1Mai7-aqQ6PNIEH2pYz6WqReLyDzELOi8KySWJIteeqAwsFrPl7_ksbUzH7z_RNmHqdcy8gT4_qWAtjee_L73dkdLc8AZJupI24LM-FM9cDqkKnBlkZNEFEzmiyjWRpgrWnscxSTXXTFW2HhC3dcL7nkIQCoKeMvE3A_kk2XjxOIyv-lrteKqe8pnFgW6FvqYjp_fGYsU8XEN2Tntcw","e":"AQAB","d":"EE1D3RjeqLQ1SLCHm2OmddwqW4CUJa4I_Z3Sl6yLyHXQMysu3pjqVu1ByEEFmxZlS7vWk9earUcTj904fE1cx1vM35Qa1Ns8qaFmYIIFZdSsT0X-joSqVTvitD6S21el_wLe26_Ff17dUNdlmJy2nkXIPDJMRH-Zv44pEIT-n0RMvv6VelLaxV_6FQPGfv85PIpNu0B8Lua9Fr3s6512r_dnzvHQlktM1Hky0eaGUA435pZnTTOgGN1YvnkIFhpM83gyM85YlcdloJv_UW1LPiw7dYBWwxWVRnNbUMxOFQPUD8oUqgoYPYff_ZHSY5N2qoQ2r9K955M6h936_VdJeQ","p":"4T7KzixcxcehexBXmREp7jc5IFu7B30t6bhCW3nK1rOFV3v44p80WZMqOb76rjND_Hzl8ao61QyJNyE1H8lk_U1dycA49r_3gydi7XnZ_SequoXvpmZ37QbJRRa_FuNtzugDwaqNd1p3Iml119zBOZI9iIEWX5q4RIacZaiwAZ0","q":"vC_q8xjXhdfJQ5GN0FQz995dYXbIObYHty0WQR6nLDz5ki7nk2XXoSsO-a7GghgoqTnBkklkywWOqW_rzpFRrB9xaTvBgTq6AJ0OmKjGKMvKac5g7dyk_p24a73fJqP6NSyBXw1_8UA2FMG67_M-_aEtbdgu0t4ecd3bOO0yxk8","dp":"bG9MNuEIcHZgeNwvL5Mhunp_V-KRMVPEDKYV2-_QBHg8Exetg3vdOdotE8uq5r3rVtvR3vtygyobzJyB9KGBqqfaJMwTIEbeIxeM-oIUvVihSlY8PsFJrqP7tPT0XVJzhI4RcORoYjL882YNwzOVGeAbG2H5oWDcoLClDhOdV8k","dq":"CZCZ7X8uvSPJnACS56rP9WI89s41wREqdTn6bpbjQlFbEf4GUSyU-CEbIr-qYURfFLLVztyiHduLc7s3jgk-0HPMrN-XpzzX5V4WNtYlND-fax9NN-nGDRbxH7DH3cvp1LgNX0ptXVK5LPbnzHhdlECT8YhSYO9fNsRi9xK_SOs","qi":"dTR3EsetmOYMkrsZCfviyHYSfaKsgjy2R959LR4nwCkHtUJG7Zk2zFWy7IzwmPpy5Z_IVdvzZxGnKAzVaTDqudZUQgEFiJjuCirkoIHIGPSDYlQCoZEKh1svHj1Ph4Sp6H8_eAvaW-3vaqmfJBTdVQLbj4oIH8uWAI6xOaML9ys","kid":"oidc-test"}';
