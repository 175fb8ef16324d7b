/** Oldest first. */
export const selectSigningKeys = `
SELECT kid, pem, signs_from, tokens_until FROM weft.signing_keys ORDER BY signs_from, kid`;
