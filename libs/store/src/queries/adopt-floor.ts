/** The first floor of a slice. $1 slice, $2 identity, $3 position. */
export const insertFirstFloor = `
INSERT INTO weft.slice_floors (slice, identity, position) VALUES ($1, $2, $3) ON CONFLICT (slice) DO NOTHING`;

/** Replaces a floor, of whatever log, if it is still the expected one. $1 slice, $2 identity, $3 position, $4 expected identity, $5 expected position. */
export const replaceFloor = `
UPDATE weft.slice_floors SET identity = $2, position = $3, updated_at = now()
 WHERE slice = $1 AND identity = $4 AND position = $5`;
