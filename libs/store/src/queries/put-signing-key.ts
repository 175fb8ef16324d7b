/** A key that is there keeps its PEM and changes its times. $1 kid, $2 PEM, $3 when it begins to sign, $4 the end of its last long token or null. */
export const putSigningKey = `
INSERT INTO weft.signing_keys AS k (kid, pem, signs_from, tokens_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (kid) DO UPDATE SET signs_from = excluded.signs_from, tokens_until = excluded.tokens_until
 WHERE (k.signs_from, k.tokens_until) IS DISTINCT FROM (excluded.signs_from, excluded.tokens_until)`;
