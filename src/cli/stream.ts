/** `stream`: how many events NATS keeps. It talks to NATS directly, without the coordinator. */
import {type Command, InvalidArgumentError} from 'commander'
import {TallyError} from '../kernel/errors.ts'
import type {StreamLimits, StreamStanding} from '../messaging/stream-limits.ts'
import {formatBytes, formatSpan} from '../../machines/story/spans.ts'
import {parseBytes} from './arguments.ts'
import {formatAge, formatTable} from './format.ts'
import {printJson} from './print.ts'
import {toDurationMs} from './times.ts'
import {addVerb, withClient} from './verb.ts'

export interface StreamFlags {
  readonly streamReplicas?: number
  readonly streamMaxAge?: number
  readonly streamMaxBytes?: number
}

interface SetFlags {
  readonly replicas?: number
  readonly maxAge?: number
  readonly maxBytes?: number
}

export function addStream(program: Command): void {
  const stream = addVerb(program, 'stream', 'show or set how many events NATS keeps')
  addVerb(stream, 'show', 'show the stream of events: its limits, what it has, and which servers have copies').action(
    async (_flags: unknown, command: Command) => {
      await withClient(command, async ({connection, subjects}, {json}) => {
        const {readStreamStanding} = await import('../messaging/stream-limits.ts')
        print(await readStreamStanding(connection, subjects), json)
      })
    },
  )
  addVerb(stream, 'set', 'change limits of the stream of events; the others stay as they are')
    .option('--replicas <count>', 'number of copies, each on another server of a cluster', parseReplicas)
    .option('--max-age <duration>', 'drop events older than this, such as 30d; none: no limit', parseMaxAge)
    .option('--max-bytes <size>', 'drop the oldest events beyond this size, such as 10g; none: no limit', parseMaxBytes)
    .action(async ({replicas, maxAge: maxAgeMs, maxBytes}: SetFlags, command: Command) => {
      const limits = toStreamLimits({replicas, maxAgeMs, maxBytes})
      if (Object.keys(limits).length === 0)
        throw new TallyError('INVALID_ARGUMENT', 'expected at least one of --replicas, --max-age and --max-bytes')
      await withClient(command, async ({connection, subjects}, {json}) => {
        const {readStreamStanding, setStreamLimits} = await import('../messaging/stream-limits.ts')
        await setStreamLimits(connection, subjects, limits)
        print(await readStreamStanding(connection, subjects), json)
      })
    })
}

/** The same options for `up`. */
export function addStreamOptions(command: Command): Command {
  return command
    .option('--stream-replicas <count>', 'number of copies of the stream of events, each on another server of a cluster', parseReplicas)
    .option('--stream-max-age <duration>', 'drop events older than this, such as 30d; none: no limit', parseMaxAge)
    .option('--stream-max-bytes <size>', 'drop the oldest events beyond this size, such as 10g; none: no limit', parseMaxBytes)
}

export function toUpLimits({streamReplicas: replicas, streamMaxAge: maxAgeMs, streamMaxBytes: maxBytes}: StreamFlags): StreamLimits {
  return toStreamLimits({replicas, maxAgeMs, maxBytes})
}

function toStreamLimits({
  replicas,
  maxAgeMs,
  maxBytes,
}: {
  readonly replicas: number | undefined
  readonly maxAgeMs: number | undefined
  readonly maxBytes: number | undefined
}): StreamLimits {
  return {
    ...(replicas !== undefined && {replicas}),
    ...(maxAgeMs !== undefined && {maxAgeMs}),
    ...(maxBytes !== undefined && {maxBytes}),
  }
}

function parseReplicas(text: string): number {
  if (!/^[1-5]$/.test(text)) throw new InvalidArgumentError(`expected a number of copies from 1 to 5, got ${JSON.stringify(text)}`)
  return Number(text)
}

/** The duplicate window of the stream: JetStream refuses a shorter age. */
const shortestMaxAgeMs = 120_000

function parseMaxAge(text: string): number {
  if (text === 'none') return 0
  const ms = toDurationMs(text)
  if (ms === undefined || ms < shortestMaxAgeMs)
    throw new InvalidArgumentError(`expected a duration of at least 2m, such as 30d, or none, got ${JSON.stringify(text)}`)
  return Math.round(ms)
}

function parseMaxBytes(text: string): number {
  return text === 'none' ? 0 : parseBytes(text)
}

function print(standing: StreamStanding, json: boolean): void {
  if (json) printJson(standing)
  else console.log(formatTable(['STREAM', standing.name], toRows(standing, Date.now())))
}

/** Pure. */
export function toRows(standing: StreamStanding, now: number): readonly (readonly [string, string])[] {
  const {subjects, description, limits, messages, bytes, since, copies} = standing
  const {replicas, maxAgeMs, maxBytes} = limits
  return [
    ...(description === undefined ? [] : [['Description', description] as const]),
    ['Subjects', subjects.join(', ')],
    [
      'Keeps',
      [
        maxAgeMs > 0 ? `events of the last ${formatSpan(maxAgeMs)}` : 'events of all times',
        maxBytes > 0 ? `${formatBytes(maxBytes)} at most` : 'of any size',
      ].join(', '),
    ],
    [
      'Copies',
      copies
        ? `${replicas}: ${copies.map(({server, isCurrent}) => `${server}${isCurrent ? '' : ' (behind)'}`).join(', ')}`
        : String(replicas),
    ],
    ['Has', `${messages} events, ${formatBytes(bytes)}`],
    ['Since', since === undefined ? '-' : `${since} (${formatAge(since, now)})`],
  ]
}
