/** Compare and set: moves the floor only if it is the expected one. The row lock it takes puts all flushes of a slice in a line. $1 slice, $2 identity, $3 from, $4 to. */
export const moveFloor = `
UPDATE weft.slice_floors SET position = $4, updated_at = now()
 WHERE slice = $1 AND identity = $2 AND position = $3`;
