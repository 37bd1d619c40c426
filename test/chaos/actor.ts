/**
 * Takes one container through its life while processes are killed: each command is retried until it has taken effect, as a user would do.
 * A rejected command, a failed command or a missing reply is not a fault; a command without effect within the patience is.
 */
import {existsSync, readFileSync} from 'node:fs'
import {setTimeout as sleep} from 'node:timers/promises'
import type * as z from 'zod'
import type {ContainerVerb} from '../../machines/commands/commands.ts'
import type {CreateRequestInput} from '../../machines/schemas/create-request.ts'
import {type ContainerView, containerViewSchema, outputReplySchema, processViewSchema} from '../../machines/views/view.ts'
import {createInputSender} from '../../src/client/index.ts'
import {toErrorBody} from '../../src/kernel/errors.ts'
import {requestJson} from '../../src/messaging/codec.ts'
import {readLog} from '../../src/stdio/log-file.ts'
import {toLogEntry} from '../../src/stdio/cri-log.ts'
import {toContainerLayout} from '../../src/layout/container-layout.ts'
import type {ChaosNode} from './chaos-node.ts'

export type Written = Readonly<Record<'stdout' | 'stderr', string>>

export interface Actor {
  create(): Promise<void>
  start(): Promise<void>
  /** For containers with auto-removal, which leave no log: their output is read under a lease. */
  startAndRead(): Promise<void>
  /** Waits until all lines are in the log. */
  hasWritten(): Promise<void>
  hasStopped(): Promise<void>
  exec(args: readonly string[]): Promise<void>
  stop(options: {readonly graceMs: number}): Promise<void>
  kill(signal: string): Promise<void>
  pause(): Promise<void>
  resume(): Promise<void>
  feed(text: string): Promise<void>
  /** Records the journal and the output first, which are deleted with the container. */
  delete(options?: {readonly force?: boolean}): Promise<void>
  isGone(): Promise<void>
}

/** What was observed of the container. */
export interface Seen {
  /** The lines of the journal before the container was deleted. */
  journal: readonly string[]
  written: Written | undefined
  /** The output of the started processes, by exec id. */
  readonly execs: Map<string, Written>
}

export interface ActorOptions {
  readonly node: ChaosNode
  readonly id: string
  readonly request: Omit<CreateRequestInput, 'id' | 'namespace'>
  /** The number of bytes that the program writes to each stream. */
  readonly wholeBytes: number
  readonly patienceMs: number
}

const pollMs = 60
/** The time to wait for a reply, which a killed supervisor does not send. */
const replyMs = 4_000

export function createActor({node, id, request, wholeBytes, patienceMs}: ActorOptions): {readonly actor: Actor; readonly seen: Seen} {
  const layout = toContainerLayout(node, {namespace: node.namespace, id}, '')
  const seen: Seen = {journal: [], written: undefined, execs: new Map()}

  const actor: Actor = {
    create: async () => {
      await until('is created', async () => {
        const now = await view()
        if (now) return now.state === 'created' || now.state === 'running' || now.state === 'stopped'
        // A new supervisor is being started.
        if (existsSync(layout.journal)) return false
        const client = await node.client()
        const wanted = {...request, id, namespace: node.namespace}
        const reply = await requestJson(client.connection, client.subjects.nodeCommand(client.node, 'create'), wanted, {
          schema: containerViewSchema,
          timeoutMs: 15_000,
        }).catch((error: unknown) => toErrorBody(error))
        // The create was tried and the ledger says that it cannot succeed.
        return reply !== undefined && 'code' in reply && isHopeless(reply)
      })
    },
    start: () => until('is started', () => when(({state}) => state !== 'created' && state !== 'starting', 'start')),
    startAndRead: async () => {
      await takeLease(30_000)
      await actor.start()
      const written = {stdout: '', stderr: ''}
      for (const stream of ['stdout', 'stderr'] as const)
        await until(`${stream} is read`, async () => {
          const reply = await output(stream, Buffer.byteLength(written[stream]))
          written[stream] += Buffer.from(reply?.data ?? '', 'base64').toString()
          return reply?.ended === true && Buffer.byteLength(written[stream]) >= reply.total
        })
      seen.written = written
      noteJournal()
      await takeLease(0).catch(() => {})
    },
    hasWritten: () =>
      until('has written', async () => {
        const {total = 0, ended = false} = (await output('stdout', 0)) ?? {}
        // Missing output of a stream that has ended is counted later.
        return total >= wholeBytes || ended
      }),
    hasStopped: () => until('has stopped', () => when(({state}) => state === 'stopped')),
    exec: (args) =>
      until('has run a process', async () => {
        const exec = `e${seen.execs.size}`
        const state = await send('state', {exec}, processViewSchema).catch((error: unknown) => toErrorBody(error))
        if (state === undefined) return false
        if ('code' in state) {
          if ((await view())?.state === 'stopped') return true
          if (state.code === 'EXEC_NOT_FOUND') await send('exec', {exec, args, start: true}, processViewSchema)
          return false
        }
        if (state.state === 'created') {
          // The start has failed: try another process with another id.
          if (state.error) seen.execs.set(exec, {stdout: '', stderr: ''})
          else await send('start', {exec}, processViewSchema)
        }
        if (state.state !== 'stopped' || (await output('stdout', 0, exec))?.ended !== true) return false
        seen.execs.set(exec, readWritten(layout.exec(exec).log))
        return true
      }),
    stop: ({graceMs}) => until('is stopped', () => when(({state}) => state === 'stopped', 'stop', {graceMs})),
    kill: (signal) => until('is killed', () => when(({state}) => state === 'stopped', 'kill', {signal})),
    // A container whose start was killed has stopped already; its exit is checked later.
    pause: () => until('is paused', () => when(({pausedAt, state}) => pausedAt !== undefined || state === 'stopped', 'pause')),
    resume: () =>
      until('is resumed', () =>
        when(({pausedAt, inFlight, state}) => (pausedAt === undefined && !inFlight) || state === 'stopped', 'resume'),
      ),
    feed: async (text) => {
      const [bytes, isOver] = [Buffer.from(text), (error: unknown) => toErrorBody(error).code === 'STDIN_CLOSED']
      let client = await node.client()
      const sender = createInputSender(() => ({client, process: client.container(id, node.namespace)}))
      await until('is fed', async () => {
        client = await node.client()
        // A pipe that no process kept open has ended.
        return await sender.write(bytes).then(() => true, isOver)
      })
      await until('has its input closed', () => when(({stdin}) => stdin !== true, 'close-stdin'))
    },
    delete: async ({force = false} = {}) => {
      if (!force) await until('has ended its output', async () => (await output('stdout', 0))?.ended === true)
      noteJournal()
      if (!force) seen.written = readWritten(layout.log)
      await until('is gone', async () => isGone() || (await when(() => false, 'delete', {force})))
    },
    isGone: () => until('is gone', async () => isGone()),
  }
  return {actor, seen}

  function isGone(): boolean {
    return !existsSync(layout.stateDir) && !existsSync(layout.runDir)
  }

  function noteJournal(): void {
    try {
      const lines = readFileSync(layout.journal, 'utf8').split('\n').slice(0, -1)
      if (lines.length > 0) seen.journal = lines
    } catch {
      // Deleted already by an earlier attempt.
    }
  }

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    let last: unknown
    for (const giveUpAt = Date.now() + patienceMs; Date.now() < giveUpAt; await sleep(pollMs)) {
      try {
        if (await isSo()) return
      } catch (error) {
        last = error
      }
    }
    throw new Error(`${id}: expected within ${patienceMs} ms that it ${what}`, {cause: last})
  }

  /** Sends a command unless its effect is there already. */
  async function when(isSo: (view: ContainerView) => boolean, verb?: ContainerVerb, fields: object = {}): Promise<boolean> {
    const now = await view()
    if (now && isSo(now)) return true
    if (now && verb) await send(verb, fields, containerViewSchema)
    return false
  }

  async function takeLease(holdMs: number): Promise<void> {
    await until(
      'has a lease on its output',
      async () => (await send('output', {stream: 'stdout', offset: 0, limitBytes: 1, holdMs}, outputReplySchema)) !== undefined,
    )
  }

  function view(): Promise<ContainerView | undefined> {
    return send('state', {}, containerViewSchema)
  }

  function output(stream: 'stdout' | 'stderr', offset: number, exec?: string): Promise<z.output<typeof outputReplySchema> | undefined> {
    return send(
      'output',
      {stream, offset, ...(exec !== undefined && {exec}), ...(request.autoRemove && {holdMs: 30_000})},
      outputReplySchema,
    )
  }

  /** @returns undefined without a responder for the container */
  async function send<S extends z.ZodType>(verb: ContainerVerb, fields: object, schema: S): Promise<z.output<S> | undefined> {
    const client = await node.client()
    const subject = client.subjects.containerCommand({node: client.node, namespace: node.namespace, id}, verb)
    return await requestJson(client.connection, subject, fields, {schema, timeoutMs: replyMs})
  }
}

/** The program does not exist: a retry cannot succeed. */
function isHopeless({message}: {readonly message: string}): boolean {
  return message.includes('/nowhere')
}

function readWritten(log: string): Written {
  const written = {stdout: '', stderr: ''}
  for (const line of readLog(log)) written[line.stream] += toLogEntry(line.line, line).bytes.toString()
  return written
}
