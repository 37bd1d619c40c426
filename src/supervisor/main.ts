/**
 * The supervisor process. It starts before it knows its container, so that a coordinator can keep one ready; the
 * assignment comes over the IPC channel, and if the channel closes before, there is nothing to do.
 */
import {join} from 'node:path'
import {createSystemClock} from '../kernel/clock.ts'
import {keepCode} from '../kernel/code-cache.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {createLogger} from '../kernel/log.ts'
import {createChildReaper} from '../linux/child-reaper.ts'
import {becomeChildSubreaper} from '../linux/subreaper.ts'
import {readConnection} from '../messaging/connection.ts'
import {createNatsLink} from '../messaging/link.ts'
import {readHostFacts} from '../runtime/spec/host-facts.ts'
import {type AssignmentReply, assignmentSchema, supervisorOptionsSchema, supervisorOptionsVariable} from './assignment.ts'
import {toOwnView} from './endpoints/replies.ts'
import {supervise} from './supervise.ts'

const options = supervisorOptionsSchema.parse(JSON.parse(process.env[supervisorOptionsVariable] ?? '{}'))
const clock = createSystemClock()
const logger = createLogger('supervisor')
const replied = Promise.withResolvers<void>()
const replyPatienceMs = 5_000
const connectionFile = join(options.runDir, 'connection.json')

process.title = 'tally-supervisor (ready)'
// The Ctrl-C of a terminal, or a service manager that ends the coordinator's group, is not meant for containers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => logger.warn({signal}, 'ignored: containers are ended by commands'))
becomeChildSubreaper()
const childReaper = createChildReaper({onOrphan: (pid, exit) => logger.debug({orphan: pid, exit}, 'reaped an orphan')})
const host = readHostFacts()
const link = createNatsLink({readConnection: () => readConnection(connectionFile), name: () => process.title, clock, logger})

process.once('disconnect', leaveUnassigned)
process.once('message', (message) => {
  process.off('disconnect', leaveUnassigned)
  accept(message).catch((error: unknown) => {
    logger.fatal({err: error}, 'cannot take the container over')
    reply({type: 'failed', error: toErrorBody(error)})
    void leaveCoordinator().then(() => process.exit(1))
  })
})

function leaveUnassigned(): void {
  process.exit(0)
}

function reply(message: AssignmentReply): void {
  // A coordinator that has died needs no reply: the next one reads the ledger.
  if (process.connected) process.send?.(message, () => replied.resolve())
  else replied.resolve()
}

async function accept(message: unknown): Promise<void> {
  const assignment = assignmentSchema.parse(message)
  const connection = await readConnection(connectionFile)
  if (!connection) throw new TallyError('STATE_DIR_INVALID', `expected a connection file at ${connectionFile}`)
  const loop = await supervise(assignment, connection, {options, clock, logger, childReaper, link, host, replied: replied.promise})
  if (assignment.work.type === 'create') {
    const {request, actor, correlationId} = assignment.work
    await loop.submit({type: 'create', request}, {actor, correlationId}).then(
      (ledger) => reply({type: 'done', view: toOwnView(ledger)}),
      (error: unknown) => {
        reply({type: 'failed', error: toErrorBody(error)})
        // Not even begun: there is no ledger that would bring it to its end.
        if (!loop.ledger.latest) replied.promise.then(() => process.exit(1))
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
  process.disconnect?.()
}
