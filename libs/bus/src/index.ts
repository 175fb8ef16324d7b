export { type Bus, BusClosed, type BusMessage, BusMessageTooLarge, BusNoResponders, type BusSubscription, BusTimeout } from './bus.ts';
export { InProcessBus, type InProcessBusOptions } from './in-process.ts';
