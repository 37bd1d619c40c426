/** The process of a terminal: one that is added for it, or an existing one that is joined. */
import {randomBytes} from 'node:crypto'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {ProcessClient, TallyClient} from '../../client/client.ts'
import type {StreamName} from '../../../machines/schemas/streams.ts'
import {toErrorBody} from '../../kernel/errors.ts'
import type {TerminalRequest} from './terminal-request.ts'

export interface TerminalProcess {
  readonly toClient: (client: TallyClient) => ProcessClient
  readonly streams: readonly StreamName[]
  /** The first bytes wanted. */
  readonly offsets: Readonly<Record<StreamName, number>>
  readonly hasTerminal: boolean
  readonly takesInput: boolean
  /** It was added for this terminal, and ends with it. */
  readonly isOwn: boolean
  /** Called once its output is subscribed to, and again when the reply was lost. */
  readonly start: (client: TallyClient) => Promise<void>
}

/** The lease until its output is followed, which renews it. */
const holdMs = 30_000

/** @throws TallyError as `exec` and `state` do */
export async function openProcess(
  client: TallyClient,
  {namespace, id}: ContainerAddress,
  request: TerminalRequest,
): Promise<TerminalProcess> {
  const {columns, rows} = request
  const toContainer = (present: TallyClient) => present.container(id, namespace)
  if (request.mode === 'attach') return await join(client, toContainer, request)
  const exec = randomBytes(6).toString('hex')
  await toContainer(client).addProcess({
    exec,
    args: request.args,
    terminal: true,
    stdin: true,
    consoleSize: {columns, rows},
    env: ['TERM=xterm-256color'],
    start: false,
    autoRemove: true,
    holdMs,
  })
  return {
    toClient: (present) => toContainer(present).process(exec),
    streams: ['stdout'],
    offsets: {stdout: 0, stderr: 0},
    hasTerminal: true,
    takesInput: true,
    isOwn: true,
    start: (present) => startOnce(() => toContainer(present).process(exec).start()),
  }
}

async function join(
  client: TallyClient,
  toContainer: (client: TallyClient) => ReturnType<TallyClient['container']>,
  {exec, columns, rows}: Extract<TerminalRequest, {mode: 'attach'}>,
): Promise<TerminalProcess> {
  const toClient = (present: TallyClient) => (exec === undefined ? toContainer(present) : toContainer(present).process(exec))
  const container = toContainer(client)
  const {terminal = false, stdin = false} = await (exec === undefined ? container.state() : container.process(exec).state())
  const streams = terminal ? (['stdout'] as const) : (['stdout', 'stderr'] as const)
  const offsets = {stdout: 0, stderr: 0}
  for (const stream of streams) offsets[stream] = (await toClient(client).output(stream, 0, {limitBytes: 1})).total
  return {
    toClient,
    streams,
    offsets,
    hasTerminal: terminal,
    takesInput: stdin,
    isOwn: false,
    // It runs already: only its terminal has to be resized, unless it has ended.
    start: async (present) => {
      if (terminal)
        await toClient(present)
          .resize({columns, rows})
          .catch(() => {})
    },
  }
}

/** An earlier start may have been carried out and its reply lost: what counts then is how the process ends. */
async function startOnce(start: () => Promise<unknown>): Promise<void> {
  try {
    await start()
  } catch (error) {
    const {code, details} = toErrorBody(error)
    if (code !== 'ILLEGAL_COMMAND' || !['running', 'stopped'].includes(String(details['state']))) throw error
  }
}
