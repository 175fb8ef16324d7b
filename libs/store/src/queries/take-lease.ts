/** Takes a free or expired lease, or prolongs one's own; by the database's clock. No row: somebody else has it. $1 slice, $2 holder, $3 for how long (ms). */
export const takeLease = `
INSERT INTO weft.slice_leases AS l (slice, holder, until)
VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
ON CONFLICT (slice) DO UPDATE SET holder = excluded.holder, until = excluded.until
 WHERE l.holder = excluded.holder OR l.until < clock_timestamp()
RETURNING slice`;
