import { encodeToGateway } from '@weft/protocol';
import { GatewayHouse } from '../gateway-house.ts';
import { collabUpdate, documentName, sizes, typing, yUpdate } from '../material.ts';
import { Patched } from '../patched.ts';
import type { Step } from '../step.ts';

const typed = typing(64);

/** Windows of so many updates, each of another document of 1,000 with 3 members; acknowledged at the end. */
function windowOf(updates: number): Step {
  return {
    name: `gateway: frame to publish and acknowledgement, 1 of 3 members in 1 of 1,000 documents, ${updates} in a window`,
    operations: updates,
    prepare: async () => {
      const house = await GatewayHouse.open(1_000, 3);
      const frames = house.members.map((_, number) => collabUpdate(documentName(number), typed[0]!));
      let next = 0;
      return () => {
        for (let i = 0; i < updates; i++) {
          next = next === 999 ? 0 : next + 1;
          house.members[next]![next % 3]!.frame(frames[next]!, true);
        }
        house.endTick();
        return house.appended();
      };
    },
  };
}

function membersOf(members: number): Step {
  return {
    name: `gateway: one update and its acknowledgement, a document with ${members.toLocaleString('en')} members`,
    prepare: async () => {
      const house = await GatewayHouse.open(1, members);
      const frame = collabUpdate(documentName(0), typed[0]!);
      const writer = house.members[0]![0]!;
      return () => {
        writer.frame(frame, true);
        house.endTick();
        return house.appended();
      };
    },
  };
}

function sizeOf([size, update]: readonly [string, Uint8Array]): Step {
  return {
    name: `gateway: one update and its acknowledgement, ${size}, 3 members`,
    prepare: async () => {
      const house = await GatewayHouse.open(1, 3);
      const frame = collabUpdate(documentName(0), update);
      const writer = house.members[0]![0]!;
      return () => {
        writer.frame(frame, true);
        house.endTick();
        return house.appended();
      };
    },
  };
}

/** A relay of the worker with one update for each of so many documents, each with 3 members. */
function relayOf(documents: number): Step {
  return {
    name: `gateway: hears a relay, ${documents} documents of 3 members: decode and publish`,
    operations: documents,
    prepare: async () => {
      const house = await GatewayHouse.open(1_000, 3);
      const relay = new Patched((sequence) =>
        encodeToGateway({
          kind: 'relay',
          worker: { id: 'w', incarnation: '1' },
          slice: 0,
          logIdentity: 'log',
          link: 1,
          sequence,
          from: 1,
          to: 1,
          documents: Array.from({ length: documents }, (_, number) => ({ document: documentName(number), update: typed[0]! })),
          released: [],
        }),
      );
      return () => {
        house.hear(relay.next());
        house.endTick();
        return house.bytesOut;
      };
    },
  };
}

export const gatewaySteps: readonly Step[] = [
  ...[1, 10, 100, 1_000].map(windowOf),
  {
    name: 'gateway: frame to publish and acknowledgement, 64 updates of one document in a window, merged',
    operations: 64,
    prepare: async () => {
      const house = await GatewayHouse.open(1, 3);
      const frames = typed.map((update) => collabUpdate(documentName(0), update));
      const writer = house.members[0]![0]!;
      return () => {
        for (const frame of frames) writer.frame(frame, true);
        house.endTick();
        return house.appended();
      };
    },
  },
  ...[1, 3, 100, 1_000].map(membersOf),
  ...Object.entries(sizes).slice(1).map(sizeOf),
  {
    name: 'gateway: one update in the y dialect, 3 members',
    prepare: async () => {
      const house = await GatewayHouse.open(1, 3, 'y');
      const frame = yUpdate(typed[0]!);
      const writer = house.members[0]![0]!;
      return () => {
        writer.frame(frame, true);
        house.endTick();
        return house.appended();
      };
    },
  },
  ...[1, 100].map(relayOf),
  {
    name: 'gateway: a tick with 3,000 connections in 1,000 documents at rest',
    prepare: async () => {
      const house = await GatewayHouse.open(1_000, 3);
      return () => house.core.tick();
    },
  },
];
