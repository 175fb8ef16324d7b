import * as Y from 'yjs';

/** A small seeded generator: the same seed makes the same history. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  /** 0 <= x < bound, an integer. */
  below(bound: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * bound);
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

export interface RandomHistory {
  /** Each update as its maker's editor would send it. */
  readonly updates: readonly Uint8Array[];
  /** Everything, as one Yjs document encodes it. */
  readonly whole: Uint8Array;
}

const WORDS = ['a', 'weft ', 'ü', '漢字', '👩‍🚀', '\u{1F600}', '\ufeff', 'line\nbreak', 'x'.repeat(40)];
const CLIENTS = [1, 7, 130, 20_000, 4_294_967_295];

/** People edit text, maps, arrays, XML and subdocuments, undo, delete, and now and then hear from one another. */
export function randomHistory(seed: number, steps = 60): RandomHistory {
  const random = new Random(seed);
  const updates: Uint8Array[] = [];
  const peers = CLIENTS.slice(0, 2 + random.below(3)).map((client) => {
    const doc = new Y.Doc({ gc: random.chance(70) });
    doc.clientID = client;
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'peer') updates.push(update);
    });
    return { doc, undo: new Y.UndoManager([doc.getText('text'), doc.getMap('map')], { captureTimeout: 0 }) };
  });
  for (let i = 0; i < steps; i++) {
    const peer = random.pick(peers);
    if (random.chance(20)) hear(peer.doc, random.pick(peers).doc);
    else edit(peer.doc, peer.undo, random);
  }
  const all = new Y.Doc({ gc: random.chance(70) });
  for (const update of updates) Y.applyUpdate(all, update);
  return { updates, whole: Y.encodeStateAsUpdate(all) };
}

function hear(to: Y.Doc, from: Y.Doc): void {
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)), 'peer');
}

function edit(doc: Y.Doc, undo: Y.UndoManager, random: Random): void {
  const text = doc.getText('text');
  const at = random.below(text.length + 1);
  const list = doc.getArray<unknown>('list');
  const map = doc.getMap<unknown>('map');
  const xml = doc.getXmlFragment('xml');
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
      text.insert(at, random.pick(WORDS));
      break;
    case 14:
    case 15:
      type(text, at, random.pick(WORDS));
      break;
    case 3:
      text.insert(at, random.pick(WORDS), { bold: random.pick<unknown>([true, null, 'a "quoted" word', { deep: [1] }]) as object });
      break;
    case 4:
      text.format(random.below(text.length), random.below(5), { [random.pick(['bold', 'ü'])]: random.pick([true, null]) });
      break;
    case 5:
      text.insertEmbed(at, { image: random.pick(WORDS) });
      break;
    case 6:
    case 7:
      if (text.length > 0) text.delete(random.below(text.length), 1);
      break;
    case 8:
      list.insert(
        random.below(list.length + 1),
        Array.from({ length: 1 + random.below(4) }, () => anyValue(random)),
      );
      break;
    case 9:
      if (list.length > 0) list.delete(random.below(list.length), 1);
      break;
    case 10:
      map.set(random.pick(['k', 'ключ', '']), random.chance(20) ? new Y.Map([['inner', 1]]) : anyValue(random));
      break;
    case 11:
      map.delete(random.pick(['k', 'ключ']));
      break;
    case 12:
      editXml(xml, random);
      break;
    case 13:
      random.pick([
        () => undo.undo(),
        () => undo.redo(),
        () => list.push([new Y.Doc({ guid: `sub-${random.below(1e6)}`, meta: { a: [1, null] }, autoLoad: random.chance(50) })]),
      ])();
      break;
  }
}

/** Letter by letter, each an update of its own. */
function type(text: Y.Text, at: number, word: string): void {
  let end = at;
  for (const letter of word) {
    text.insert(end, letter);
    end += letter.length;
  }
}

function editXml(xml: Y.XmlFragment, random: Random): void {
  if (xml.length > 0 && random.chance(40)) {
    const node = xml.get(random.below(xml.length));
    if (node instanceof Y.XmlElement && random.chance(70)) node.setAttribute('class', random.pick(WORDS));
    else if (node instanceof Y.XmlText) node.insert(0, random.pick(WORDS));
    else xml.delete(0, 1);
    return;
  }
  const node = random.pick([() => new Y.XmlElement('p'), () => new Y.XmlText(random.pick(WORDS)), () => new Y.XmlHook('hook')])();
  xml.insert(random.below(xml.length + 1), [node as Y.XmlElement]);
}

function anyValue(random: Random): unknown {
  return random.pick<() => unknown>([
    () => random.below(1000) - 500,
    () => random.below(2 ** 32) * 2 ** 20,
    () => 0.5,
    () => Math.PI,
    () => [123456789012345678n, undefined],
    () => new Uint8Array([1, 2, 3]),
    () => null,
    () => true,
    () => random.pick(WORDS),
    () => ({ a: { b: [1, 'ü', { c: null }] }, '': false }),
    () => [],
  ])();
}

/** What a document looks like from outside, to compare two. */
export function contentOf(update: Uint8Array | readonly Uint8Array[]): unknown {
  const doc = new Y.Doc({ gc: false });
  for (const one of update instanceof Uint8Array ? [update] : update) Y.applyUpdate(doc, one);
  return {
    text: doc.getText('text').toDelta(),
    list: doc.getArray('list').toJSON().map(plain),
    map: doc.getMap('map').toJSON(),
    xml: doc.getXmlFragment('xml').toString(),
    stateVector: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort((a, b) => a[0] - b[0]),
    pending: [doc.store.pendingStructs !== null, doc.store.pendingDs !== null],
  };
}

function plain(value: unknown): unknown {
  return value instanceof Y.Doc ? { guid: value.guid } : value;
}
