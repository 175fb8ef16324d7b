import { expect, test } from 'vitest';

import { snippets } from './snippets.ts';

test('the snippets name this server and this document', () => {
  const { hocuspocus, yWebsocket } = snippets('http://localhost:8080', 'welcome');
  expect(hocuspocus).toBe("new HocuspocusProvider({\n  url: 'ws://localhost:8080/collab',\n  name: 'welcome',\n})");
  expect(yWebsocket).toBe("new WebsocketProvider(\n  'ws://localhost:8080/yjs',\n  'welcome', ydoc,\n)");
  expect(snippets('https://weft.example', "it's").hocuspocus).toContain("url: 'wss://weft.example/collab',\n  name: 'it\\'s'");
});
