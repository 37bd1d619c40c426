/** A request that is answered later, or by somebody else: kept, and sent on with its reply subject and headers unchanged. */
import type {Msg, MsgHdrs, NatsConnection} from 'nats'

export interface KeptRequest {
  readonly subject: string
  /** Undefined for one whose sender expects no answer. */
  readonly reply: string | undefined
  readonly headers: MsgHdrs | undefined
  readonly data: Uint8Array
}

/** Copies it: the library uses the buffer of a message again, and reads headers from it when they are first requested. */
export function keepRequest({subject, reply, headers, data}: Pick<Msg, 'subject' | 'reply' | 'headers' | 'data'>): KeptRequest {
  return {subject, reply: reply || undefined, headers, data: data.slice()}
}

/**
 * Publishes it to another subject. Requests that are sent on over the same connection keep their order.
 * @throws NatsError when the connection is closed
 */
export function sendOn(
  connection: Pick<NatsConnection, 'publish'>,
  subject: string,
  {reply, headers, data}: Pick<KeptRequest, 'reply' | 'headers' | 'data'>,
): void {
  connection.publish(subject, data, {...(reply !== undefined && {reply}), ...(headers && {headers})})
}

/** What this process and its kernel hold of it until it is sent on. */
export function sizeOfRequest({subject, data}: KeptRequest): number {
  return subject.length + data.length + aroundBytes
}

/** For headers and objects. */
const aroundBytes = 1_024
