/** What the stream of events keeps, for how long, and in how many copies. Nothing here needs more than nats-server 2.9. */
import {setTimeout as sleep} from 'node:timers/promises'
import {type NatsConnection, millis, nanos, NatsError, type StreamConfig, type StreamInfo} from 'nats'
import * as z from 'zod'
import {TallyError} from '../kernel/errors.ts'
import {fromJetStream} from './jetstream.ts'
import {readStreamInfo, toStreamName} from './stream.ts'
import type {Subjects} from './subjects.ts'

/** An absent limit is not changed; 0 means no limit. */
export const streamLimitsSchema = z.strictObject({
  /** Copies, on as many servers of a cluster. */
  replicas: z.int().min(1).max(5).optional(),
  maxAgeMs: z.int().min(0).optional(),
  maxBytes: z.int().min(0).optional(),
})
export type StreamLimits = z.infer<typeof streamLimitsSchema>

/** 0 means no limit. */
export interface StandingLimits {
  readonly replicas: number
  readonly maxAgeMs: number
  readonly maxBytes: number
}

export interface StreamStanding {
  readonly name: string
  readonly subjects: readonly string[]
  readonly description: string | undefined
  readonly limits: StandingLimits
  /** How many events it has now, and their size. */
  readonly messages: number
  readonly bytes: number
  readonly firstSequence: number
  readonly lastSequence: number
  /** When the oldest event was stored; undefined when there is none. */
  readonly since: string | undefined
  readonly created: string
  /** Servers that have a copy: the leader first, and whether each of the others is up to date. Undefined without a cluster. */
  readonly copies: readonly {readonly server: string; readonly isCurrent: boolean}[] | undefined
}

/** @throws TallyError STREAM_UNREADABLE, JETSTREAM_UNAVAILABLE */
export async function readStreamStanding(connection: NatsConnection, subjects: Subjects): Promise<StreamStanding> {
  const {config, state, created, cluster} = await readStreamInfo(connection, subjects).catch((error: unknown) => {
    throw fromJetStream(error)
  })
  return {
    name: config.name,
    subjects: config.subjects,
    description: config.description,
    limits: toLimits(config),
    messages: state.messages,
    bytes: state.bytes,
    firstSequence: state.first_seq,
    lastSequence: state.last_seq,
    since: state.messages > 0 ? state.first_ts : undefined,
    created,
    copies: cluster?.leader
      ? [
          {server: cluster.leader, isCurrent: true},
          ...(cluster.replicas ?? []).map(({name, current, offline}) => ({server: name, isCurrent: current && !offline})),
        ]
      : undefined,
  }
}

/**
 * Changes the limits that are named, and leaves the others as they are. The server only replaces the whole configuration: of two callers
 * at the same time, the later one would undo what the earlier one has set. So it is read again after a moment, and set again if it has its
 * former value. A value that is neither the former nor the wanted one was set by somebody later, and stays.
 * @throws TallyError STREAM_LIMITS_REFUSED with the server's reason
 */
export async function setStreamLimits(connection: NatsConnection, subjects: Subjects, limits: StreamLimits): Promise<void> {
  const {config: former, cluster} = await readInfo(connection, subjects)
  // A server without a cluster accepts the number, and has one copy nevertheless.
  if (!cluster && (limits.replicas ?? 1) > 1) throw toRefusal(limits, 'it is not one of a cluster')
  let missing = selectOther(toConfig(limits), former)
  for (let attempt = 1; missing.length > 0; attempt += 1) {
    await update(connection, subjects, limits, Object.fromEntries(missing))
    if (attempt === mostAttempts) return
    await sleep(settleMs * (1 + Math.random()))
    const {config} = await readInfo(connection, subjects)
    missing = missing.filter(([key, value]) => readField(config, key) !== value && readField(config, key) === readField(former, key))
  }
}

/** Longer than another caller needs from reading the configuration to replacing it. */
const settleMs = 150
const mostAttempts = 5

async function readInfo(connection: NatsConnection, subjects: Subjects): Promise<StreamInfo> {
  return await readStreamInfo(connection, subjects).catch((error: unknown) => {
    throw fromJetStream(error)
  })
}

async function update(connection: NatsConnection, subjects: Subjects, limits: StreamLimits, change: Partial<StreamConfig>): Promise<void> {
  const {config} = await readInfo(connection, subjects)
  const manager = await connection.jetstreamManager({checkAPI: false})
  await manager.streams.update(toStreamName(subjects), {...config, ...change}).catch((error: unknown) => {
    const known = fromJetStream(error)
    throw known instanceof NatsError && known.api_error ? toRefusal(limits, known.api_error.description, error) : known
  })
}

/** The fields whose values are other ones in the configuration. */
function selectOther(change: Partial<StreamConfig>, config: StreamConfig): readonly (readonly [string, unknown])[] {
  return Object.entries(change).filter(([key, value]) => readField(config, key) !== value)
}

function readField(config: StreamConfig, key: string): unknown {
  return Object.entries(config).find(([own]) => own === key)?.[1]
}

/** As fields of the stream's configuration; absent limits are left out. */
export function toConfig({replicas, maxAgeMs, maxBytes}: StreamLimits): Partial<StreamConfig> {
  return {
    ...(replicas !== undefined && {num_replicas: replicas}),
    ...(maxAgeMs !== undefined && {max_age: nanos(maxAgeMs)}),
    ...(maxBytes !== undefined && {max_bytes: maxBytes === 0 ? -1 : maxBytes}),
  }
}

export function toLimits({num_replicas, max_age, max_bytes}: StreamConfig): StandingLimits {
  return {replicas: num_replicas, maxAgeMs: millis(max_age), maxBytes: Math.max(0, max_bytes)}
}

/** The server says why it refuses them: too few servers for the copies, or too little room for the bytes. */
function toRefusal(limits: StreamLimits, why: string, cause?: unknown): TallyError {
  return new TallyError('STREAM_LIMITS_REFUSED', `the NATS server refused ${formatLimits(limits)}: ${why}`, {details: {...limits}, cause})
}

function formatLimits({replicas, maxAgeMs, maxBytes}: StreamLimits): string {
  return [
    ...(replicas === undefined ? [] : [`${replicas} ${replicas === 1 ? 'copy' : 'copies'}`]),
    ...(maxAgeMs === undefined ? [] : [`an age of ${maxAgeMs / 1000} s at most`]),
    ...(maxBytes === undefined ? [] : [`${maxBytes} bytes at most`]),
  ].join(', ')
}
