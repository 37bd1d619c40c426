/**
 * The supervisor process, a child of its shim. It starts before it knows its container, so that a coordinator can keep one ready: the
 * assignment comes over the IPC channel, and if the channel closes before, there is nothing to do. When it has died, the shim starts the
 * next one, with the container as its arguments.
 */
import {mkdirSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {createSystemClock} from '../kernel/clock.ts'
import {keepCode} from '../kernel/code-cache.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {createLogger, writeOut} from '../kernel/log.ts'
import {version} from '../kernel/version.ts'
import {toContainerLayout} from '../layout/container-layout.ts'
import {readConnection} from '../messaging/connection.ts'
import {createNatsLink} from '../messaging/link.ts'
import {readHostFacts} from '../runtime/spec/host-facts.ts'
import {ShimError} from '../shim/client/calls.ts'
import {features} from '../shim/client/frames.ts'
import {toStartReasons} from '../shim/client/shim.ts'
import {
  type Assignment,
  type AssignmentReply,
  assignmentSchema,
  parseAssignmentArguments,
  supervisorOptionsSchema,
  supervisorOptionsVariable,
  toNextCommand,
} from './assignment.ts'
import {toOwnView} from './endpoints/replies.ts'
import {endForGood} from './shim/end-for-good.ts'
import {openSupervisorShim} from './shim/supervisor-shim.ts'
import {supervise} from './supervise.ts'

// Whether it can be started at all: `tally upgrade` asks before it moves anything.
if (process.argv[2] === '--version') {
  writeOut(1, `${version}\n`)
  process.exit(0)
}
const program = fileURLToPath(import.meta.url)
const options = supervisorOptionsSchema.parse(JSON.parse(process.env[supervisorOptionsVariable] ?? '{}'))
const clock = createSystemClock()
const logger = createLogger('supervisor')
const replied = Promise.withResolvers<void>()
const replyPatienceMs = 5_000
const formerShimMs = 2_000
const formerShimPollMs = 20
const connectionFile = join(options.runDir, 'connection.json')

process.title = 'tally-supervisor (ready)'
// The Ctrl-C of a terminal, or a service manager that ends the coordinator's group, is not meant for containers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => logger.warn({signal}, 'ignored: containers are ended by commands'))
const host = readHostFacts()
const link = createNatsLink({readConnection: () => readConnection(connectionFile), name: () => process.title, clock, logger})
const shim = await openSupervisorShim((why) => {
  logger.fatal({err: why}, 'the shim of this supervisor has ended: the next one comes with another supervisor')
  process.exit(1)
})

const former = parseAssignmentArguments(process.argv.slice(2))
const diedBefore = toStartReasons(shim.held).includes('died')
// Whoever waits for an answer of the one before gets none.
if (diedBefore) reply({type: 'failed', error: toErrorBody(new TallyError('SUPERVISOR_FAILED', 'the supervisor died before it answered'))})
if (former) {
  if (!diedBefore) replied.resolve()
  void leaveCoordinator()
  accept(former).catch(fail)
} else if (diedBefore || !process.connected) {
  void leaveCoordinator().then(leaveUnassigned)
} else {
  process.once('disconnect', leaveUnassigned)
  process.once('message', (message) => {
    process.off('disconnect', leaveUnassigned)
    begin(message).catch(fail)
  })
}

function leaveUnassigned(): void {
  void endForGood(shim, clock)
}

async function fail(error: unknown): Promise<void> {
  logger.fatal({err: error}, 'cannot take the container over')
  reply({type: 'failed', error: toErrorBody(error)})
  await leaveCoordinator()
  // Another supervisor has it, under a shim of its own.
  if (isHeldByAnother(error) || toErrorBody(error).code === 'JOURNAL_LOCKED') await endForGood(shim, clock)
  process.exit(1)
}

function reply(message: AssignmentReply): void {
  // A coordinator that has died needs no reply: the next one reads the ledger.
  if (process.connected) process.send?.(message, () => replied.resolve())
  else replied.resolve()
}

/** From now on the shim starts supervisors for this container, and is found by others. */
async function begin(message: unknown): Promise<void> {
  const assignment = assignmentSchema.parse(message)
  const {namespace, id, uid} = assignment
  const {runDir, shimSocket} = toContainerLayout(options, assignment, uid)
  mkdirSync(runDir, {recursive: true, mode: 0o700})
  if ((shim.held.features & features.title) !== 0) void shim.call('title', {text: `tally-shim ${namespace}/${id}`})
  // First, since only one shim can have that directory.
  await listen(shimSocket)
  await shim.call('command', {argv: toNextCommand(assignment)})
  await accept(assignment)
}

/** The shim before may be about to end: its lock goes last. @throws ShimError EADDRINUSE when another shim has the container */
async function listen(path: string): Promise<void> {
  for (const giveUpAt = clock.elapsed() + formerShimMs; ; await clock.sleep(formerShimPollMs)) {
    try {
      await shim.call('listen', {path})
      return
    } catch (error) {
      if (!isHeldByAnother(error) || clock.elapsed() >= giveUpAt) throw error
    }
  }
}

function isHeldByAnother(error: unknown): boolean {
  return error instanceof ShimError && error.code === 'EADDRINUSE'
}

async function accept(assignment: Assignment): Promise<void> {
  const connection = await readConnection(connectionFile)
  if (!connection) throw new TallyError('STATE_DIR_INVALID', `expected a connection file at ${connectionFile}`)
  const loop = await supervise(assignment, connection, {options, clock, logger, shim, link, host, program, replied: replied.promise})
  if (assignment.work.type === 'create') {
    const {request, actor, correlationId} = assignment.work
    await loop.submit({type: 'create', request}, {actor, correlationId}).then(
      (ledger) => reply({type: 'done', view: toOwnView(ledger)}),
      (error: unknown) => {
        reply({type: 'failed', error: toErrorBody(error)})
        // Not even begun: there is no ledger that would bring it to its end.
        if (!loop.ledger.latest) void replied.promise.then(() => endForGood(shim, clock))
      },
    )
  } else {
    reply({type: 'done', view: toOwnView(loop.ledger)})
  }
  keepCode()
  await leaveCoordinator()
}

/** Closes the channel once the reply is sent, since closing it drops what is still queued. A coordinator may hang. */
async function leaveCoordinator(): Promise<void> {
  await Promise.race([replied.promise, clock.sleep(replyPatienceMs)])
  if (process.connected) process.disconnect()
}
