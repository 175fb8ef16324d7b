export const releaseLease = `DELETE FROM weft.slice_leases WHERE slice = $1 AND holder = $2`;
