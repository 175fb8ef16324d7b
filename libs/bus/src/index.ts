export { type Bus, BusClosed, type BusMessage, BusMessageTooLarge, BusNoResponders, type BusSubscription, BusTimeout } from './bus.ts';
export { InProcessBus, type InProcessBusOptions } from './in-process.ts';
export { NatsBus, type NatsBusOptions } from './nats.ts';
export { connectNats, type NatsOptions, NatsUnreachable } from './nats-connection.ts';
