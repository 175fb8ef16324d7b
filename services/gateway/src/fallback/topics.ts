import { frameText } from './event-stream.ts';

/** A subscriber: takes a frame as `frameText` makes it. */
export interface TopicMember {
  sendText(frame: string): void;
}

/** Which sessions are subscribed to what: uWebSockets.js knows only its own sockets. */
export class Topics {
  readonly #members = new Map<string, Set<TopicMember>>();

  subscribe(topic: string, member: TopicMember): void {
    const members = this.#members.get(topic);
    if (members) members.add(member);
    else this.#members.set(topic, new Set([member]));
  }

  unsubscribe(topic: string, member: TopicMember): void {
    const members = this.#members.get(topic);
    if (members?.delete(member) && members.size === 0) this.#members.delete(topic);
  }

  /** One encoding serves everybody. */
  publish(topic: string, frame: Uint8Array, but?: TopicMember): void {
    const members = this.#members.get(topic);
    if (!members) return;
    const text = frameText(frame);
    for (const member of members) if (member !== but) member.sendText(text);
  }
}
