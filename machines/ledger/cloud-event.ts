/**
 * Ledger events as CloudEvents 1.0 JSON (https://github.com/cloudevents/spec, v1.0.2), the only format in which they are journaled
 * and published. `parseLedgerEvent(toCloudEvent(e))` equals `e`.
 */
import * as z from 'zod'
import {instant} from '../schemas/fields.ts'
import {type EventType, eventSchemas, isEventType, type LedgerEvent} from './events.ts'

export const cloudEventContentType = 'application/cloudevents+json'
const typePrefix = 'io.tallyman.'

/** The attributes in the order in which they are written. */
const envelopeSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  time: instant,
  sequence: z.int().positive(),
  correlationid: z.string(),
  causationid: z.string().optional(),
  actor: z.string(),
  datacontenttype: z.literal('application/json'),
  data: z.unknown(),
})
export type CloudEvent = z.infer<typeof envelopeSchema>

/**
 * `data` is parsed with its schema, which fixes the order of its fields: an event that was read from a journal is published as the
 * same bytes that it had when it was written.
 */
export function toCloudEvent(event: LedgerEvent): CloudEvent {
  return {
    specversion: '1.0',
    id: toEventId(event),
    source: event.source,
    type: typePrefix + event.type,
    time: event.time,
    sequence: event.sequence,
    correlationid: event.correlationId,
    ...(event.causationId === undefined ? {} : {causationid: event.causationId}),
    actor: event.actor,
    datacontenttype: 'application/json',
    data: eventSchemas[event.type].parse(JSON.parse(JSON.stringify(event.data))),
  }
}

/** `<uid>:<sequence>`: unique across all containers and nodes; it is also the `Nats-Msg-Id` of the published message. */
export function toEventId({uid, sequence}: Pick<LedgerEvent, 'uid' | 'sequence'>): string {
  return `${uid}:${sequence}`
}

/** @throws ZodError or SyntaxError when the text is not an event of Tallyman */
export function parseLedgerEvent(json: string): LedgerEvent {
  const envelope = envelopeSchema.parse(JSON.parse(json))
  const type = envelope.type.slice(typePrefix.length)
  if (!envelope.type.startsWith(typePrefix) || !isEventType(type)) throw new SyntaxError(`unknown event type ${envelope.type}`)
  const uid = envelope.id.slice(0, envelope.id.lastIndexOf(':'))
  if (envelope.id !== toEventId({uid, sequence: envelope.sequence})) {
    throw new SyntaxError(`expected id <uid>:${envelope.sequence}, got ${envelope.id}`)
  }
  return {
    type,
    data: eventSchemas[type].parse(envelope.data),
    time: envelope.time,
    sequence: envelope.sequence,
    uid,
    source: envelope.source,
    actor: envelope.actor,
    correlationId: envelope.correlationid,
    causationId: envelope.causationid,
  } as LedgerEvent<EventType>
}
