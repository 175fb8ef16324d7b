export { decodeAwareness, encodeAwareness } from './awareness-codec.ts';
export { CLOSE, yCloseCode, type CloseCode } from './close-codes.ts';
export {
  decodeCollabFrame,
  type CollabAddress,
  type CollabClientFrame,
  type CollabClientMessage,
  type FrameLimits,
} from './collab-dialect.ts';
export { COLLAB_PING, CollabServerFrames, type CollabScope } from './collab-server-frames.ts';
export { DOCUMENT_NAME_BYTES_MAX, documentNameProblem } from './document-name.ts';
export type * from './envelope.ts';
export { gatewaySubject, peerKey, ringSubject, workerSubject } from './envelope.ts';
export { EnvelopeError } from './envelope-error.ts';
export { FrameError, type FrameErrorCode } from './frame-error.ts';
export { decodeHeartbeat, encodeHeartbeat } from './heartbeat-codec.ts';
export { decodeToGateway, encodeToGateway } from './to-gateway-codec.ts';
export { decodeToWorker, encodeToWorker } from './to-worker-codec.ts';
export { frameUpdates, UpdateDeframer } from './update-framing.ts';
export { decodeYFrame, yServerFrames, type YClientFrame } from './y-dialect.ts';
