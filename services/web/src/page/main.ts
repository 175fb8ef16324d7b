import { HocuspocusProvider } from '@hocuspocus/provider';
import { Awareness } from 'y-protocols/awareness';
import { Doc } from 'yjs';

import { documentName, pathOf, randomDocumentName } from './document-name.ts';
import { openEditor } from './editor.ts';
import { editOwnName, ownPerson } from './own-person.ts';
import { showPeople } from './people.ts';
import type { Person } from './person.ts';
import { SaveMeter, formatTook } from './save-meter.ts';
import { snippets } from './snippets.ts';
import { describe } from './status.ts';
import type { Connection } from './status.ts';

const name = documentName(location.search);
/** Behind `#`, so that it never reaches a server's log. */
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

function element<E extends HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found as E;
}

showDocument();
showSnippets();
connect();

function showDocument(): void {
  document.title = `${name} · Weft`;
  element('document-name').textContent = name;
  element<HTMLAnchorElement>('second-tab').href = location.href;
  element<HTMLAnchorElement>('new-document').href = pathOf(randomDocumentName(Math.random)) + location.hash;
  const copy = element('copy-link');
  copy.addEventListener('click', () => void copyLink(copy));
}

async function copyLink(button: HTMLElement): Promise<void> {
  const words = button.querySelector('span') ?? button;
  try {
    // Without the token: a link is for others, who have their own.
    await navigator.clipboard.writeText(new URL(pathOf(name), location.origin).href);
    words.textContent = 'Copied';
  } catch {
    // No right to the clipboard: the address bar has the link too.
    words.textContent = 'Not allowed';
  }
  setTimeout(() => (words.textContent = 'Copy link'), 2000);
}

function showSnippets(): void {
  const { hocuspocus, yWebsocket } = snippets(location.origin, name);
  element('snippet-hocuspocus').textContent = hocuspocus;
  element('snippet-y-websocket').textContent = yWebsocket;
}

function connect(): void {
  const doc = new Doc();
  const awareness = new Awareness(doc);
  const present = (person: Person) =>
    awareness.setLocalState({ ...awareness.getLocalState(), user: { ...person, colorLight: `${person.color}40` } });
  const person = ownPerson();
  present(person);
  editOwnName(element<HTMLInputElement>('my-name'), person, present);

  const provider = new HocuspocusProvider({
    url: `${location.origin.replace(/^http/, 'ws')}/collab`,
    name,
    document: doc,
    awareness,
    token,
  });
  const editor = openEditor(element('editor'), doc.getText('text'), awareness, name);
  showPeople(element('people'), awareness);
  followConnection(provider, (readOnly) => editor.setReadOnly(readOnly));
  countSaves(provider, doc);
  if (matchMedia('(pointer: fine)').matches) editor.focus();

  // Back from the browser's cache of pages: the provider took our presence away when the page was left.
  addEventListener('pageshow', (event) => {
    if (event.persisted) present(ownPerson());
  });
  addEventListener('beforeunload', (event) => {
    if (provider.isSynced && provider.hasUnsyncedChanges) event.preventDefault();
  });
}

function followConnection(provider: HocuspocusProvider, setReadOnly: (readOnly: boolean) => void): void {
  let connection: Connection = {
    socket: 'connecting',
    synced: false,
    unsynced: 0,
    refused: undefined,
    readOnly: false,
    wasConnected: false,
  };
  const update = (change: Partial<Connection>) => {
    connection = { ...connection, ...change };
    const { tone, words } = describe(connection);
    element('status').dataset['tone'] = tone;
    const shown = element('status-words');
    // The same words again would be read out again.
    if (shown.textContent !== words) shown.textContent = words;
    element('status').title = words;
  };
  provider.on('status', ({ status }: { status: Connection['socket'] }) => {
    update({ socket: status, ...(status === 'connected' ? { wasConnected: true } : { synced: false }) });
  });
  provider.on('synced', () => update({ synced: true }));
  provider.on('unsyncedChanges', ({ number }: { number: number }) => update({ unsynced: number }));
  provider.on('authenticated', ({ scope }: { scope: string }) => {
    update({ refused: undefined, readOnly: scope === 'readonly' });
    setReadOnly(scope === 'readonly');
  });
  provider.on('authenticationFailed', ({ reason }: { reason: string }) => {
    update({ refused: reason });
    setReadOnly(true);
  });
}

function countSaves(provider: HocuspocusProvider, doc: Doc): void {
  const meter = new SaveMeter();
  const show = () => {
    const { sent, saved, lastTookMs } = meter.counts;
    element('count-sent').textContent = sent.toLocaleString();
    element('count-saved').textContent = saved.toLocaleString();
    element('last-took').textContent = formatTook(lastTookMs);
  };
  doc.on('update', (_update, origin) => {
    if (origin === provider) return;
    meter.edited(performance.now());
    show();
  });
  provider.on('unsyncedChanges', ({ number }: { number: number }) => {
    meter.acknowledged(number, performance.now());
    show();
  });
}
