import type {Command} from 'commander'
import {setTimeout as sleep} from 'node:timers/promises'
import {isFinalSample, type StatsReply} from '../../machines/views/stats.ts'
import type {TallyClient} from '../client/client.ts'
import {followStats} from '../client/follow-stats.ts'
import {toErrorBody} from '../kernel/errors.ts'
import {toExitCode} from './exit-codes.ts'
import {formatStats, type SamplePair, toCpuPercent, toMemoryPercent} from './format-stats.ts'
import type {NodeOptions} from './node-options.ts'
import {printError, printJsonLine} from './print.ts'
import {withReconnect} from './reconnect.ts'
import {addVerb, withClient} from './verb.ts'

const intervalMs = 1_000
/** Clears the terminal and moves the cursor to its top left corner. */
const clearScreen = '\x1b[H\x1b[2J'

type OnPair = (pair: SamplePair) => void

export function addStats(program: Command): void {
  addVerb(program, 'stats', 'show the resource usage of containers once a second; --json prints one line per sample')
    .argument('[id...]', 'containers (default: all that are running)')
    .option('--no-stream', 'print one result and exit')
    .action(async (ids: readonly string[], {stream}: {readonly stream: boolean}, command: Command) => {
      await withClient(command, async (client, options) => {
        const latest = new Map<string, SamplePair>()
        const onPair: OnPair = options.json ? printPair : (pair) => latest.set(pair.id, pair)
        const show = () => options.json || console.log(formatStats([...latest.values()].toSorted((a, b) => a.id.localeCompare(b.id))))
        const timer = stream && !options.json ? setInterval(refresh, intervalMs) : undefined
        try {
          if (ids.length > 0) await followAll(client, options, ids, {stream, onPair})
          else if (stream) await followRunning(client, options, {stream, onPair, onEnd: (id) => latest.delete(id)})
          else await followAll(client, options, await listRunning(client, options), {stream, onPair})
        } finally {
          clearInterval(timer)
        }
        show()

        function refresh(): void {
          if (process.stdout.isTTY) process.stdout.write(clearScreen)
          show()
        }
      })
    })
}

async function followAll(
  client: TallyClient,
  options: NodeOptions,
  ids: readonly string[],
  {stream, onPair}: {readonly stream: boolean; readonly onPair: OnPair},
): Promise<void> {
  await Promise.all(
    ids.map((id) =>
      follow(client, options, id, {stream, onPair}).catch((error: unknown) => {
        const body = toErrorBody(error)
        printError(body, options)
        process.exitCode = toExitCode(body.code)
      }),
    ),
  )
}

/** Follows all running containers, also those that are started later. Never returns. */
async function followRunning(
  client: TallyClient,
  options: NodeOptions,
  {onEnd, ...wanted}: {readonly stream: boolean; readonly onPair: OnPair; readonly onEnd: (id: string) => void},
): Promise<void> {
  const followed = new Set<string>()
  for (;;) {
    for (const id of await listRunning(client, options)) {
      if (followed.has(id)) continue
      followed.add(id)
      follow(client, options, id, wanted)
        // It may have ended since it was listed. Any other failure also fails the next list.
        .catch(() => {})
        .finally(() => {
          followed.delete(id)
          onEnd(id)
        })
    }
    await sleep(intervalMs)
  }
}

async function listRunning(client: TallyClient, {namespace}: NodeOptions): Promise<readonly string[]> {
  return (await client.list({namespace})).filter(({state}) => state === 'running').map(({id}) => id)
}

/** Without `stream` it takes two samples: the CPU share is computed over the time between them. */
async function follow(
  client: TallyClient,
  {namespace}: NodeOptions,
  id: string,
  {stream, onPair}: {readonly stream: boolean; readonly onPair: OnPair},
): Promise<void> {
  let before: StatsReply | undefined
  await withReconnect(client, async () => {
    for await (const sample of followStats(client, client.container(id, namespace))) {
      if (stream || before || isFinalSample(sample)) onPair({id, sample, before})
      if (!stream && before) return
      before = sample
    }
  })
}

function printPair({id, sample, before}: SamplePair): void {
  const [cpuPercent, memoryPercent] = [toCpuPercent({sample, before}), toMemoryPercent(sample)]
  printJsonLine({id, ...(cpuPercent !== undefined && {cpuPercent}), ...(memoryPercent !== undefined && {memoryPercent}), ...sample})
}
