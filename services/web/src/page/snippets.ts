/** What one types to connect one's own editor to the document this page shows. */
export function snippets(origin: string, document: string): { hocuspocus: string; yWebsocket: string } {
  const socket = origin.replace(/^http/, 'ws');
  const name = quoted(document);
  return {
    hocuspocus: `new HocuspocusProvider({\n  url: ${quoted(`${socket}/collab`)},\n  name: ${name},\n})`,
    yWebsocket: `new WebsocketProvider(\n  ${quoted(`${socket}/yjs`)},\n  ${name}, ydoc,\n)`,
  };
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
