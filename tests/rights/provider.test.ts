import { HocuspocusProvider } from '@hocuspocus/provider';
import type { Gateway } from '@weft/gateway';
import { HocuspocusProvider as HocuspocusProvider3 } from 'hocuspocus-provider-3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import * as Y from 'yjs';
import { House } from '../limits/house.ts';
import { Person } from '../limits/person.ts';
import { textOf } from '../limits/text-of.ts';
import { until } from '../limits/until.ts';
import { RightsBook } from './rights-book.ts';

let house: House;
let book: RightsBook;
let gateway: Gateway;
let elsewhere: Gateway;
beforeAll(async () => {
  house = await House.start({ auth: false });
  book = new RightsBook(await house.bus());
  gateway = await house.gateway();
  elsewhere = await house.gateway();
  book.write('bystander');
});
afterAll(() => house.stop());

const leave: (() => void)[] = [];
afterEach(() => {
  for (const each of leave.splice(0)) each();
});

/** The genuine provider, with what an application sees of it. */
class Tab {
  readonly doc = new Y.Doc();
  readonly provider: HocuspocusProvider;
  readonly failures: string[] = [];
  readonly scopes: string[] = [];
  sockets = 0;

  constructor(Provider: typeof HocuspocusProvider, document: string, token: string | (() => string) | (() => Promise<string>)) {
    const opened = (): void => void (this.sockets += 1);
    class Polyfill extends WebSocket {
      constructor(url: string) {
        super(url);
        opened();
      }
    }
    const configuration = {
      url: `ws://127.0.0.1:${gateway.port}/collab`,
      name: document,
      document: this.doc,
      token,
      WebSocketPolyfill: Polyfill,
    };
    this.provider = new Provider(configuration);
    this.provider.on('authenticationFailed', ({ reason }: { reason: string }) => this.failures.push(reason));
    this.provider.on('authenticated', ({ scope }: { scope: string }) => this.scopes.push(scope));
    leave.push(() => this.provider.destroy());
  }

  get text(): string {
    return this.doc.getText('t').toString();
  }

  type(words: string): void {
    this.doc.getText('t').insert(this.text.length, words);
  }

  saved(): Promise<void> {
    return until(() => this.provider.isSynced && this.provider.unsyncedChanges === 0, 'everything is saved', {
      seen: () => `(synced: ${this.provider.isSynced}, unsynced: ${this.provider.unsyncedChanges}, failures: ${this.failures.join()})`,
    });
  }
}

describe.each([
  ['4', HocuspocusProvider],
  ['3', HocuspocusProvider3 as unknown as typeof HocuspocusProvider],
])('the Hocuspocus provider %s', (version, Provider) => {
  const nameOf = (what: string): string => `${what}-${version}`;

  test('[GW15] with a token as a function is asked for another before the end, and goes on on the same socket', async () => {
    const name = nameOf('hour');
    let hours = 0;
    const tab = new Tab(Provider, name, async () => {
      hours += 1;
      const token = `${name} ${hours}`;
      book.write(token, { user: 'ada', untilMs: Date.now() + (hours < 3 ? 2_000 : 3_600_000) });
      return token;
    });
    await tab.saved();
    await until(() => hours === 3, 'two hours have passed');
    await until(() => tab.scopes.length === 3, 'the third token is good');
    tab.type('three hours');
    await tab.saved();
    expect(tab.sockets).toBe(1);
    expect(tab.failures).toEqual([]);
    expect(textOf(await house.logged(name))).toBe('three hours');
  });

  test('[GW17] refused, it tries again on the same socket, gets the document and brings what was typed meanwhile', async () => {
    const name = nameOf('again');
    const other = await Person.y(elsewhere.port, name, 'bystander');
    await other.types('there ');
    let token = 'nobody';
    const tab = new Tab(Provider, name, () => token);
    await until(() => tab.failures.length === 1, 'it is refused');
    expect(tab.failures).toEqual(['nobody knows this token']);
    tab.type('typed meanwhile ');
    expect(tab.provider.isSynced).toBe(false);
    await tab.provider.sendToken();
    await until(() => tab.failures.length === 2, 'it is refused again');
    token = name;
    book.write(name, { user: 'bob' });
    await tab.provider.sendToken();
    await tab.saved();
    await other.sees('typed meanwhile ');
    expect(tab.text).toBe(other.text());
    tab.type('and after');
    await tab.saved();
    await other.sees('and after');
    expect(tab.sockets).toBe(1);
    await other.client.close();
  });

  test('[GW16] made a viewer it keeps its edits; made an editor again it brings them, and all is saved', async () => {
    const name = nameOf('regraded');
    book.write(name, { user: name });
    const other = await Person.y(elsewhere.port, name, 'bystander');
    const tab = new Tab(Provider, name, name);
    tab.type('before ');
    await tab.saved();
    book.write(name, { role: 'viewer' });
    book.say({ user: name });
    await until(() => tab.provider.authorizedScope === 'readonly', 'it may only read');
    tab.type('while viewer ');
    tab.type('still viewer ');
    await other.types('[other] ');
    await until(() => tab.text.includes('[other]'), 'it reads on');
    expect(tab.provider.unsyncedChanges).toBe(2);
    expect(textOf(await house.logged(name))).toBe('before [other] ');
    book.write(name, { role: 'editor' });
    book.say({ user: name });
    await until(() => tab.provider.authorizedScope === 'read-write', 'it may edit again');
    tab.type('after');
    await tab.saved();
    await other.sees('after');
    expect(other.text()).toBe(tab.text);
    expect(tab.text).toContain('while viewer still viewer ');
    expect(textOf(await house.logged(name))).toBe(tab.text);
    expect(tab.sockets).toBe(1);
    await other.client.close();
  });

  test('[GW13] withdrawn it is told, and its next connection is refused', async () => {
    const name = nameOf('withdrawn');
    book.write(name, { user: name });
    const tab = new Tab(Provider, name, name);
    await tab.saved();
    book.refuse(name, name, 'you were removed');
    book.say({ user: name });
    await until(() => tab.failures.length >= 2, 'it is told, comes back, and is refused');
    expect(new Set(tab.failures)).toEqual(new Set(['you were removed']));
    tab.type('graffiti');
    expect(tab.provider.isSynced).toBe(false);
    expect(textOf(await house.logged(name))).toBe('');
  });
});
