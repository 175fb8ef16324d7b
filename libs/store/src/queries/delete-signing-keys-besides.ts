/** $1 the kids that stay. */
export const deleteSigningKeysBesides = `
DELETE FROM weft.signing_keys WHERE kid <> ALL ($1::text[])`;
