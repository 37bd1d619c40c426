import type {Command} from 'commander'
import type {LogReply} from '../../machines/views/view.ts'
import type {ContainerClient, TallyClient} from '../client/client.ts'
import {parseCount} from './arguments.ts'
import {writeToFd} from './fd-writer.ts'
import {resolveNodeOptions} from './node-options.ts'
import {printNote} from './print.ts'
import {withReconnect} from './reconnect.ts'
import {parseTime} from './times.ts'
import {addVerb, connect} from './verb.ts'

interface LogsFlags {
  readonly follow?: true
  readonly tail?: number
  readonly since?: Date
  readonly until?: Date
  readonly timestamps?: true
}

type Entry = LogReply['entries'][number]

/** Following, the log is looked at so often even when nothing is heard. */
const askAgainMs = 1_000

export function addLogs(program: Command): void {
  addVerb(program, 'logs', 'print what a container has written, stdout and stderr apart')
    .argument('<id>')
    .option('-f, --follow', 'continue with new output until the container has stopped')
    .option('--tail <count>', 'only this many lines, the last ones', parseCount)
    .option('--since <time>', 'only what was written from then on: a time, or a duration such as 10m', (text) => parseTime(text))
    .option('--until <time>', 'only what was written before then', (text) => parseTime(text))
    .option('-t, --timestamps', 'with the time at which each line was read')
    .action(async (id: string, flags: LogsFlags, command: Command) => {
      const options = resolveNodeOptions(command)
      await using client = await connect(options)
      const writePage = createPageWriter(flags, options.json)
      let until = Number.POSITIVE_INFINITY
      let from: {readonly position: number} | {readonly tail: number} = flags.tail === undefined ? {position: 0} : {tail: flags.tail}
      await withReconnect(client, async () => {
        const container = client.container(id, options.namespace)
        using wakeUp = listen(client, container)
        for (;;) {
          const {position, entries, next, end, ended} = await container.log(from)
          // A program may well write faster than its log is read.
          if (!flags.follow) until = Math.min(until, end)
          if ('position' in from && from.position > 0 && position > from.position)
            printNote(`${position - from.position} bytes of the log had been dropped before they could be read`)
          await writePage(entries)
          const isAtEnd = entries.length === 0 || ended || next >= until
          from = {position: next}
          if (isAtEnd && (!flags.follow || ended)) return
          if (isAtEnd) await wakeUp.next()
        }
      })
    })
}

/** Output that passes by says that there is something new in the log. */
function listen(client: TallyClient, container: ContainerClient): Disposable & {next(): Promise<void>} {
  let heard = () => {}
  let isNew = false
  const subscriptions = (['stdout', 'stderr'] as const).map((stream) =>
    client.connection.subscribe(client.subjects.log(container.address, stream), {
      callback: () => {
        isNew = true
        heard()
      },
    }),
  )
  return {
    next: async () => {
      if (!isNew) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, askAgainMs)
          heard = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      isNew = false
    },
    [Symbol.dispose]: () => {
      for (const subscription of subscriptions) subscription.unsubscribe()
    },
  }
}

/** Entries in their order, with one write for as many of a stream as follow each other. */
function createPageWriter({since, until, timestamps}: LogsFlags, json: boolean): (entries: readonly Entry[]) => Promise<void> {
  /** Whether the next entry of a stream begins a line: parts of one have one time stamp. */
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
