/**
 * The supervisor process. It starts before it knows its container, so that a coordinator can keep one ready; the
 * assignment comes over the IPC channel, and if the channel closes before, there is nothing to do.
 */
import {mkdirSync, rmdirSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {type Connection, readConnection} from '../messaging/connection.ts'
import type {LedgerEvent} from '../../machines/events.ts'
import {createSystemClock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {createLogger} from '../kernel/log.ts'
import {version} from '../kernel/version.ts'
import {createChildReaper} from '../linux/child-reaper.ts'
import {becomeChildSubreaper} from '../linux/subreaper.ts'
import {openFileJournal} from '../journal/file-journal.ts'
import {encodeJson} from '../messaging/codec.ts'
import {createNatsLink} from '../messaging/link.ts'
import {createOutbox, type Outbox} from '../messaging/outbox.ts'
import {createSubjects} from '../messaging/subjects.ts'
import {prepareBundle} from '../runtime/bundle.ts'
import {createRunc} from '../runtime/runc/runc.ts'
import {readHostFacts} from '../runtime/spec/host-facts.ts'
import {openContainerStdio} from '../stdio/fifo-stdio.ts'
import {createOutputReader} from '../stdio/log-file.ts'
import {isSameProcess} from '../linux/process-table.ts'
import {type Assignment, type AssignmentReply, assignmentSchema, supervisorOptionsSchema, supervisorOptionsVariable} from './assignment.ts'
import {createEffectHandlers, runEffect} from './effects.ts'
import {createInitProcess} from './init-process.ts'
import {toContainerLayout} from './layout.ts'
import {createLoop, type Loop, type Origin} from './loop.ts'
import {createOomWatch} from './oom-watch.ts'
import {createOutput} from './output.ts'
import {createOutputFeed} from './output-feed.ts'
import {planRecovery} from './recovery.ts'
import {type ContainerService, serveContainer, toOwnView} from './service.ts'
import {createStats} from './stats.ts'

const options = supervisorOptionsSchema.parse(JSON.parse(process.env[supervisorOptionsVariable] ?? '{}'))
const clock = createSystemClock()
const logger = createLogger('supervisor')
const replied = Promise.withResolvers<void>()
const lastReplyPatienceMs = 5_000
const adoptedHoldMs = 15_000
const connectionFile = join(options.runDir, 'connection.json')

process.title = 'tally-supervisor (ready)'
// A terminal's ctrl-c, or a service manager that ends the coordinator's group, is not meant for containers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => logger.warn({signal}, 'ignored: containers are ended by commands'))
becomeChildSubreaper()
const reaper = createChildReaper({onOrphan: (pid, exit) => logger.debug({pid, exit}, 'reaped an orphan')})
const host = readHostFacts()
const link = createNatsLink({readConnection: () => readConnection(connectionFile), name: () => process.title, clock, logger})

process.once('disconnect', leaveUnassigned)
process.once('message', (message) => {
  process.off('disconnect', leaveUnassigned)
  accept(message).catch((error: unknown) => {
    logger.fatal({err: error}, 'cannot take the container over')
    reply({type: 'failed', error: toErrorBody(error)})
    process.exitCode = 1
    process.disconnect?.()
    setTimeout(() => process.exit(1), 100).unref()
  })
})

function leaveUnassigned(): void {
  process.exit(0)
}

function reply(message: AssignmentReply): void {
  // A coordinator that died meanwhile asks again, or nobody does: the ledger has it.
  if (process.connected) process.send?.(message, () => replied.resolve())
  else replied.resolve()
}

async function accept(message: unknown): Promise<void> {
  const assignment = assignmentSchema.parse(message)
  const connection = await readConnection(connectionFile)
  if (!connection) throw new TallyError('STATE_DIR_INVALID', `expected a connection file at ${connectionFile}`)
  const loop = await supervise(assignment, connection)
  if (assignment.work.type === 'create') {
    const {request, actor, correlationId} = assignment.work
    await loop.submit({type: 'create', request}, {actor, correlationId}).then(
      (ledger) => reply({type: 'done', view: toOwnView(ledger)}),
      (error: unknown) => reply({type: 'failed', error: toErrorBody(error)}),
    )
  } else {
    reply({type: 'done', view: toOwnView(loop.ledger)})
  }
  process.disconnect?.()
}

/** Puts the parts together, for as long as the container is in the ledger. */
async function supervise({node, namespace, id, uid, work}: Assignment, {prefix}: Connection): Promise<Loop> {
  const address = {node, namespace, id}
  const layout = toContainerLayout(options, address, uid)
  const log = logger.child({container: `${namespace}/${id}`})
  process.title = `tally-supervisor ${namespace}/${id}`
  mkdirSync(layout.stateDir, {recursive: true, mode: 0o700})
  const journal = openFileJournal(layout.journal)
  if (journal.repair.tornBytes > 0) log.warn(journal.repair, 'cut a torn last line off the journal')
  const subjects = createSubjects(prefix)
  const outbox: Outbox = createOutbox({source: journal, link, subjects, address, uid, clock, logger: log, fresh: work.type === 'create'})
  const feed = createOutputFeed(link, subjects, address)
  const output = createOutput({
    openStdio: (onOutput) => openContainerStdio({fifoDir: layout.fifoDir, logFile: layout.log, now: clock.now, onOutput}),
    publish: feed.publish,
    publishEnd: (totals) => feed.publishEnd(totals, clock.now()),
    clock,
  })
  const runtime = createRunc({
    binary: options.runtime,
    root: layout.runtimeRoot,
    logDir: layout.stateDir,
    onSpawn: reaper.spawned,
    onReaped: reaper.forget,
  })
  const oom = createOomWatch({clock, onOom: (data) => void loop.observe({type: 'container.oom', data}, toOwnOrigin())})
  const init = createInitProcess({
    reaper,
    clock,
    onSignal: oom.look,
    onExit: (exit, source, usage) => {
      const exitedAt = new Date(clock.now()).toISOString()
      const oomKilled = oom.hasEnded(exit)
      return loop.observe(
        {type: 'container.exited', data: {exit, exitedAt, source, ...(usage && {usage}), ...(oomKilled && {oomKilled})}},
        toOwnOrigin(),
      )
    },
  })
  const handlers = createEffectHandlers(
    {
      runtime,
      init,
      output,
      clock,
      reaper,
      prepareBundle: (request) => prepareBundle(request, {dir: layout.stateDir, containerId: id, cgroupsPath: layout.cgroupsPath, host}),
      loop: () => loop,
      end: () => void end(),
    },
    {address, layout, limitsSwap: host.limitsSwap ?? false},
  )
  const loop: Loop = createLoop(
    {journal, clock, logger: log, runEffect: (effect, cause) => runEffect(handlers, effect, cause), onEvent},
    {address, uid},
  )
  let service: ContainerService | undefined
  if (work.type === 'recover') await recover()
  service = serveContainer({
    address,
    uid,
    version,
    loop,
    output,
    readOutput: createOutputReader(layout.log).read,
    stats: createStats({
      ledger: () => loop.ledger,
      publish: (sample) => link.session()?.publish(subjects.stats(address), encodeJson(sample)),
      clock,
    }),
    logFile: layout.log,
    link,
    outbox,
    subjects,
    clock,
    logger: log,
  })
  return loop

  function onEvent(event: LedgerEvent): void {
    outbox.poke()
    if (event.type === 'container.created') oom.watch(event.data.init.pid, event.data.cgroups, 0)
    const {init: identity, cgroups, oom: told} = loop.ledger.snapshot.context
    if (event.type === 'container.updated' && identity) oom.watch(identity.pid, cgroups, told?.killed ?? 0)
    if (event.type === 'container.exited') oom[Symbol.dispose]()
  }

  /** For what nobody asked for. */
  function toOwnOrigin(): Origin {
    return {actor: 'supervisor', correlationId: loop.ledger.latest?.correlationId ?? uid}
  }

  async function recover(): Promise<void> {
    const {init: identity, cgroups, exited, oom: told} = loop.ledger.snapshot.context
    const initAlive = identity !== undefined && !exited && isSameProcess(identity)
    const {status} = (await runtime.state(id).catch(() => undefined)) ?? {}
    const plan = planRecovery(loop.ledger, {initAlive, runtimeStatus: status, now: new Date(clock.now()).toISOString()})
    const origin = {actor: 'supervisor', correlationId: loop.ledger.latest?.correlationId ?? uid}
    const found = `${loop.ledger.latest?.type ?? 'an empty journal'}; init ${initAlive ? 'alive' : 'gone'}; runtime says ${status ?? 'nothing'}`
    log.warn({found}, 'taking over from a supervisor that died')
    if (!loop.ledger.latest) return await end()
    await loop.observe({type: 'supervisor.adopted', data: {supervisorPid: process.pid, found}}, origin)
    if (plan.facts[0]?.type === 'container.create-failed')
      await runtime.delete(id, {force: true}).catch((error: unknown) => log.warn({err: error}, 'rollback'))
    // Whoever held the output asks the new supervisor again within this time.
    if (loop.ledger.snapshot.context.request?.autoRemove) output.hold(adoptedHoldMs)
    // Also after the exit: something may still wait in the FIFOs, and the log is read through it.
    if (identity) {
      await output.open()
      output.releaseChildFds()
    }
    if (identity && !exited) oom.watch(identity.pid, cgroups, told?.killed ?? 0)
    for (const fact of plan.facts) await loop.observe(fact, origin)
    if (identity && initAlive) init.readopt(identity, cgroups)
    loop.resume(plan.effects)
  }

  /** Everything is told: first the stream must have it, then the directory goes, then we do. */
  async function end(): Promise<void> {
    while (!(await outbox.whenAcknowledged(journal.latestSequence(), 60_000))) log.info('waiting for the stream to confirm the last event')
    rmSync(layout.stateDir, {recursive: true, force: true})
    for (const parent of [dirname(layout.stateDir), dirname(layout.runDir), layout.runtimeRoot]) removeIfEmpty(parent)
    // Whoever waits for a reply gets it: on NATS, and the coordinator about a create that failed.
    await Promise.race([Promise.all([service?.close(lastReplyPatienceMs), replied.promise]), clock.sleep(lastReplyPatienceMs)])
    // What has been answered in this very turn is still to be handed to the connection.
    await clock.sleep(1)
    await link[Symbol.asyncDispose]()
    journal[Symbol.dispose]()
    process.exit(0)
  }
}

/** Others may have containers in it. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {}
}
