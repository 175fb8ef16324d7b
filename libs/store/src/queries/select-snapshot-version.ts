export const selectSnapshotVersion = `
SELECT s.version FROM weft.documents d JOIN weft.document_snapshots s ON s.document_id = d.id WHERE d.name = $1`;
