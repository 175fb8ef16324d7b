import type { ConnectionHandler } from '@weft/gateway';
import { decodeAwareness, decodeCollabFrame, encodeAwareness, encodeToGateway } from '@weft/protocol';
import { GatewayHouse } from '../gateway-house.ts';
import { collabAwareness, documentName, presenceState } from '../material.ts';
import { Patched, patchedMin } from '../patched.ts';
import type { Step } from '../step.ts';
import { far, near, WorkerHouse } from '../worker-house.ts';

const people = 500;
const document = documentName(0);

function awarenessFrame(person: number): Patched {
  const json = presenceState(person);
  return new Patched((clock) => collabAwareness(document, encodeAwareness([{ clientId: 1_000_000_000 + person, clock, json }])));
}

async function crowd(): Promise<{ house: GatewayHouse; members: ConnectionHandler[]; frames: Patched[] }> {
  const house = await GatewayHouse.open(1, people);
  const members = house.members[0]!;
  const frames = members.map((_, person) => awarenessFrame(person));
  members.forEach((member, person) => member.frame(frames[person]!.next(), true));
  house.endTick();
  house.pass(100);
  house.endTick();
  return { house, members, frames };
}

export const presenceSteps: readonly Step[] = [
  {
    name: 'presence: decode a collab frame with one state',
    prepare: () => {
      const frame = awarenessFrame(1);
      return () => decodeCollabFrame(frame.next(), { awarenessEntriesMax: 5_000 });
    },
  },
  {
    name: `presence: one of ${people} moves, alone in its window`,
    prepare: async () => {
      const { house, members, frames } = await crowd();
      let next = 0;
      return () => {
        next = (next + 1) % people;
        members[next]!.frame(frames[next]!.next(), true);
        house.endTick();
        house.pass(20);
        return house.bytesOut;
      };
    },
  },
  {
    name: `presence: ${people} people move within a window, and are shown together`,
    operations: people,
    prepare: async () => {
      const { house, members, frames } = await crowd();
      return () => {
        for (let person = 0; person < people; person++) members[person]!.frame(frames[person]!.next(), true);
        house.endTick();
        house.pass(20);
        return house.bytesOut;
      };
    },
  },
  {
    name: `presence: the worker takes one state and relays it, ${people} in the document`,
    prepare: () => {
      const worker = new WorkerHouse().open(1, [near, far]);
      const states = Array.from({ length: people }, (_, person) => presenceState(person));
      let clock = patchedMin;
      return () => {
        clock += 1;
        const person = clock % people;
        const entries = [{ clientId: 1_000_000_000 + person, clock, json: states[person]! }];
        worker.core.hear({ kind: 'presence', gateway: near, document, entries }, worker.nowMs);
        worker.core.flushPresence();
        return worker.bytesOut;
      };
    },
  },
  {
    name: `presence: the gateway hears ${people} states of another`,
    operations: people,
    prepare: async () => {
      const house = await GatewayHouse.open(1, 3);
      const states = Array.from({ length: people }, (_, person) => presenceState(person));
      let clock = patchedMin;
      return () => {
        clock += 1;
        const entries = states.map((json, person) => ({ clientId: 1_000_000_000 + person, clock, json }));
        house.hear(encodeToGateway({ kind: 'presence-relay', worker: { id: 'w', incarnation: '1' }, document, entries }));
        house.endTick();
        house.pass(20);
        return house.bytesOut;
      };
    },
  },
  {
    name: `presence: encode ${people} states`,
    operations: people,
    prepare: () => {
      const entries = Array.from({ length: people }, (_, person) => ({
        clientId: 1_000_000_000 + person,
        clock: 5,
        json: presenceState(person),
      }));
      return () => encodeAwareness(entries);
    },
  },
  {
    name: `presence: decode ${people} states`,
    operations: people,
    prepare: () => {
      const entries = Array.from({ length: people }, (_, person) => ({
        clientId: 1_000_000_000 + person,
        clock: 5,
        json: presenceState(person),
      }));
      const bytes = encodeAwareness(entries).slice();
      return () => decodeAwareness(bytes, 5_000);
    },
  },
];
