import { HocuspocusProvider } from '@hocuspocus/provider';
import { weftWebSocket, type WeftWebSocket } from '@weft/client';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

/** Runs in the browser of `browser.test.ts`: one editor a provider, each with a Y.Doc of its own, on one document. */
const query = new URLSearchParams(location.search);
const document_ = query.get('document')!;
const token = query.get('token')!;
const origin = (query.get('at') ?? location.origin).replace('http', 'ws');

for (const provider of ['hocuspocus', 'y-websocket'] as const) {
  const doc = new Y.Doc();
  const status = add('p', `${provider}-status`);
  const text = add('textarea', provider);
  const state = { transport: 'none', usableAfterMs: -1, connections: 0, closes: [] as string[] };
  const show = (): void => {
    const usable = state.usableAfterMs < 0 ? 'not usable yet' : `usable after ${Math.round(state.usableAfterMs)} ms`;
    status.textContent = `${provider}: ${usable}, by ${state.transport}, connection ${state.connections}${state.closes.map((close) => `; ${close}`).join('')}`;
    Object.assign(status.dataset, {
      transport: state.transport,
      usable: String(state.usableAfterMs),
      connections: String(state.connections),
    });
  };
  const sinceMs = performance.now();
  const Polyfill = watched(weftWebSocket(), (socket) => {
    state.connections += 1;
    socket.addEventListener('open', () => {
      state.transport = socket.transport!;
      show();
    });
    socket.addEventListener('close', ({ code, reason }) => {
      state.transport = 'none';
      state.closes.push(`${code} ${reason}`);
      show();
    });
    show();
  });
  const synced = (): void => {
    if (state.usableAfterMs < 0) state.usableAfterMs = performance.now() - sinceMs;
    show();
  };
  if (provider === 'hocuspocus') {
    // The provider hands its whole configuration to the websocket it makes, which its types leave out.
    const configuration = { url: `${origin}/collab`, name: document_, document: doc, token, WebSocketPolyfill: Polyfill, onSynced: synced };
    new HocuspocusProvider(configuration);
  } else {
    // Without its BroadcastChannel: it is the network that is tested.
    const options = { WebSocketPolyfill: Polyfill, disableBc: true, params: { token } };
    new WebsocketProvider(`${origin}/yjs`, document_, doc, options).on('sync', (isSynced) => isSynced && synced());
  }
  bind(text, doc.getText('t'));
}

function add<K extends 'p' | 'textarea'>(kind: K, id: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(kind);
  element.id = id;
  document.body.append(element);
  return element;
}

function watched(Class: ReturnType<typeof weftWebSocket>, watch: (socket: WeftWebSocket) => void) {
  return class extends Class {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      watch(this);
    }
  };
}

/** What was typed is where the two texts differ. */
function bind(area: HTMLTextAreaElement, shared: Y.Text): void {
  area.addEventListener('input', () => {
    const [before, after] = [shared.toString(), area.value];
    let from = 0;
    while (from < before.length && before[from] === after[from]) from += 1;
    let same = 0;
    while (same < Math.min(before.length, after.length) - from && before.at(-1 - same) === after.at(-1 - same)) same += 1;
    shared.doc!.transact(() => {
      shared.delete(from, before.length - from - same);
      shared.insert(from, after.slice(from, after.length - same));
    });
  });
  shared.observe(() => {
    if (area.value !== shared.toString()) area.value = shared.toString();
  });
}
