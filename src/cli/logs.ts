import type {Command} from 'commander'
import type {LogReply} from '../../machines/views/view.ts'
import type {ContainerClient, TallyClient} from '../client/client.ts'
import {createNamedReader} from '../client/watched.ts'
import {parseCount} from './arguments.ts'
import {writeToFd} from './fd-writer.ts'
import {resolveNodeOptions} from './node-options.ts'
import {printNote} from './print.ts'
import {withReconnect} from './reconnect.ts'
import {parseTime} from './times.ts'
import {addVerb, connect} from './verb.ts'
import {createWakeUp, type WakeUp} from './wake-up.ts'

interface LogsFlags {
  readonly follow?: true
  readonly tail?: number
  readonly since?: Date
  readonly until?: Date
  readonly timestamps?: true
}

type Entry = LogReply['entries'][number]

/**
 * With --follow, the log is read at least this often, since messages that announce output can be lost. Each time it is asked that output be
 * published: by the supervisor that there is then.
 */
const pollMs = 1_000

/** Where to begin: at the last lines, or at a position that a reply has named. */
type Place = {readonly tail: number} | {readonly position: number}

export function addLogs(program: Command): void {
  addVerb(program, 'logs', 'print the output of a container, stdout and stderr separately')
    .argument('<id>')
    .option('-f, --follow', 'continue with new output until the container has stopped')
    .option('--tail <count>', 'only print this many lines from the end', parseCount)
    .option('--since <time>', 'only print what was written at or after this time, or in this last duration, such as 10m', (text) =>
      parseTime(text),
    )
    .option('--until <time>', 'only print what was written before this time', (text) => parseTime(text))
    .option('-t, --timestamps', 'print the time at which each line was read')
    .action(async (id: string, flags: LogsFlags, command: Command) => {
      const options = resolveNodeOptions(command)
      await using client = await connect(options)
      const writePage = createPageWriter(flags, options.json)
      let place: Place = flags.tail === undefined ? {position: 0} : {tail: flags.tail}
      const reader = createNamedReader()
      let end: number | undefined
      await withReconnect(client, async () => {
        const container = client.container(id, options.namespace)
        using output = watchOutput(client, container)
        for (;;) {
          const from = place
          const page = await (flags.follow ? reader.watched((options) => container.log(from, options)) : container.log(from))
          // Without --follow: what is written from now on is not printed, however fast the program writes.
          if (!flags.follow) end ??= page.end
          if ('position' in place) noteDropped(place.position, page.position)
          await writePage(page.entries)
          place = {position: page.next}
          const isAtEnd = page.entries.length === 0 || page.ended || (end !== undefined && page.next >= end)
          if (isAtEnd && !flags.follow) return
          if (isAtEnd && page.ended) return await reader.letGo(container)
          if (isAtEnd) await output.next(pollMs)
        }
      })
    })
}

function noteDropped(wanted: number, begin: number): void {
  if (wanted > 0 && begin > wanted) printNote(`${begin - wanted} bytes of the log had been dropped before they could be read`)
}

/** Wakes up when the container writes: the supervisor publishes output for as long as it is asked to. */
function watchOutput(client: TallyClient, container: ContainerClient): Disposable & Pick<WakeUp, 'next'> {
  const wakeUp = createWakeUp()
  const subscriptions = (['stdout', 'stderr'] as const).map((stream) =>
    client.connection.subscribe(client.subjects.log(container.address, stream), {callback: () => wakeUp.notify()}),
  )
  return {
    next: wakeUp.next,
    [Symbol.dispose]: () => {
      for (const subscription of subscriptions) subscription.unsubscribe()
    },
  }
}

/** Writes entries in order, with one write for consecutive entries of the same stream. */
function createPageWriter({since, until, timestamps}: LogsFlags, json: boolean): (entries: readonly Entry[]) => Promise<void> {
  /** Whether the next entry of a stream begins a line: a line that comes in several entries has one time stamp. */
  const begins = {stdout: true, stderr: true}
  return async (entries) => {
    let pieces: Uint8Array[] = []
    let fd = 1
    for (const entry of entries) {
      const at = Date.parse(entry.time)
      if ((since && at < since.getTime()) || (until && at >= until.getTime())) continue
      const wanted = json || entry.stream === 'stdout' ? 1 : 2
      if (wanted !== fd) {
        await writeToFd(fd, Buffer.concat(pieces))
        pieces = []
        fd = wanted
      }
      pieces.push(...(json ? [toJsonLine(entry)] : toPieces(entry)))
    }
    await writeToFd(fd, Buffer.concat(pieces))
  }

  function toPieces({time, stream, data}: Entry): readonly Uint8Array[] {
    const bytes = Buffer.from(data, 'base64')
    const isStamped = timestamps && begins[stream]
    begins[stream] = bytes.at(-1) === 0x0a
    return isStamped ? [Buffer.from(`${time} `), bytes] : [bytes]
  }
}

function toJsonLine({time, stream, data}: Entry): Uint8Array {
  return Buffer.from(`${JSON.stringify({time, stream, text: Buffer.from(data, 'base64').toString('utf8')})}\n`)
}
