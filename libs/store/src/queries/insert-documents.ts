/** Rows for names never seen. In order of their names, so that two transactions cannot lock each other out. $1 names, $2 slice. */
export const insertDocuments = `
INSERT INTO weft.documents (name, slice)
SELECT n.name, $2 FROM (SELECT DISTINCT unnest($1::text[]) COLLATE "C" AS name) n
 WHERE NOT EXISTS (SELECT FROM weft.documents d WHERE d.name = n.name)
 ORDER BY n.name
ON CONFLICT (name) DO NOTHING`;
