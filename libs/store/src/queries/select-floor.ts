export const selectFloor = `SELECT identity, position FROM weft.slice_floors WHERE slice = $1`;
