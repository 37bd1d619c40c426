/**
 * The supervisor process. It starts before it knows its container, so that a coordinator can keep one ready; the
 * assignment comes over the IPC channel, and if the channel closes before, there is nothing to do.
 */
import {mkdirSync, rmdirSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {type Connection, readConnection} from '../messaging/connection.ts'
import type {LedgerEvent, ProcessIdentity} from '../../machines/events.ts'
import {foldEvents} from '../../machines/ledger.ts'
import {createSystemClock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {createLogger} from '../kernel/log.ts'
import {version} from '../kernel/version.ts'
import {setCloseOnExec} from '../linux/close-on-exec.ts'
import {createChildReaper} from '../linux/child-reaper.ts'
import {becomeChildSubreaper} from '../linux/subreaper.ts'
import {openFileJournal, readJournalFile} from '../journal/file-journal.ts'
import {encodeJson} from '../messaging/codec.ts'
import {createNatsLink} from '../messaging/link.ts'
import {createOutbox, type Outbox} from '../messaging/outbox.ts'
import {createSubjects} from '../messaging/subjects.ts'
import {prepareBundle} from '../runtime/bundle.ts'
import {writeExecProcess} from '../runtime/exec-process.ts'
import {unmountBelow} from '../runtime/rootfs.ts'
import {createRunc} from '../runtime/runc/runc.ts'
import {readHostFacts} from '../runtime/spec/host-facts.ts'
import {openProcessStdio, reopenProcessStdio} from '../stdio/process-stdio.ts'
import {isSameProcess, readBootId} from '../linux/process-table.ts'
import {findKeptProcess, findKeptTerminal} from './kept.ts'
import {type Assignment, type AssignmentReply, assignmentSchema, supervisorOptionsSchema, supervisorOptionsVariable} from './assignment.ts'
import {createEffectHandlers, runEffect} from './effects.ts'
import {createExecEffects} from './exec-effects.ts'
import {createFailpoints, createFileFailpoint, failpointsVariable, noFailpoints} from './failpoints.ts'
import {findInit} from './find-init.ts'
import {findExecProcess} from './find-exec.ts'
import {createHoldFile} from './hold-file.ts'
import {createInitProcess} from './init-process.ts'
import {toContainerLayout} from './layout.ts'
import {createHealthChecks} from './health-checks.ts'
import {createProbe} from './probe.ts'
import {createRestartEffects} from './restart-effects.ts'
import {createLoop, type Loop, type Origin} from './loop.ts'
import {createOomWatch} from './oom-watch.ts'
import {createOutput} from './output.ts'
import {createOutputFeed} from './output-feed.ts'
import {createOutputs} from './outputs.ts'
import {createProcessWatcher} from './process-watcher.ts'
import {planRecovery} from './recovery.ts'
import {toOwnView} from './own-view.ts'
import {type ContainerService, serveContainer} from './service.ts'
import {createStats} from './stats.ts'
import {takeBackLost, toMended} from './take-back.ts'

const options = supervisorOptionsSchema.parse(JSON.parse(process.env[supervisorOptionsVariable] ?? '{}'))
const clock = createSystemClock()
const logger = createLogger('supervisor')
const replied = Promise.withResolvers<void>()
const lastReplyPatienceMs = 5_000
/** What a health check writes is not kept beyond its answer. */
const checkLog = {maxBytes: 64 * 1024, maxFiles: 1}
const holdAnswerMs = 500
const connectionFile = join(options.runDir, 'connection.json')

process.title = 'tally-supervisor (ready)'
// A terminal's ctrl-c, or a service manager that ends the coordinator's group, is not meant for containers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => logger.warn({signal}, 'ignored: containers are ended by commands'))
becomeChildSubreaper()
const childReaper = createChildReaper({onOrphan: (pid, exit) => logger.debug({pid, exit}, 'reaped an orphan')})
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
      (error: unknown) => {
        reply({type: 'failed', error: toErrorBody(error)})
        // Not even begun: there is no ledger that would bring it to its end.
        if (!loop.ledger.latest) replied.promise.then(() => process.exit(1))
      },
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
  const failpointsDir = process.env[failpointsVariable]
  const failpoints = failpointsDir === undefined ? noFailpoints : createFailpoints(createFileFailpoint(failpointsDir, address))
  const reaper = failpoints.reaper(childReaper)
  const journal = openFileJournal(layout.journal)
  if (journal.repair.tornBytes > 0) log.warn(journal.repair, 'cut a torn last line off the journal')
  const subjects = createSubjects(prefix)
  const takenBack = work.type === 'recover' ? await takeBackLost({journal, link, subjects, address, uid, clock, logger: log}) : 0
  const outbox: Outbox = createOutbox({
    source: failpoints.source(journal),
    link,
    subjects,
    address,
    uid,
    clock,
    logger: log,
    fresh: work.type === 'create',
    onRebuild: (data) => void loop.observe({type: 'supervisor.republished', data}, toOwnOrigin()),
  })
  const outputs = createOutputs((exec) => {
    const {fifoDir: dir, log: logFile, runDir} = exec === undefined ? layout : layout.exec(exec)
    const feed = createOutputFeed(link, (stream) =>
      exec === undefined ? subjects.log(address, stream) : subjects.io(address, exec, stream),
    )
    return createOutput({
      openStdio: ({again, ...options}, onOutput) =>
        (again ? reopenProcessStdio : openProcessStdio)({
          ...options,
          dir,
          logFile,
          // The time of a piece is asked for between its being read and its being logged.
          now: () => {
            failpoints.onRead()
            return clock.now()
          },
          onOutput: (chunk) => {
            failpoints.onLogged()
            onOutput(chunk)
          },
        }),
      publish: feed.publish,
      publishEnd: (totals) => feed.publishEnd(totals, clock.now()),
      held: createHoldFile(join(runDir, 'held-until')),
      clock,
    })
  })
  const {request} = work.type === 'create' ? work : foldEvents(journal.read()).snapshot.context
  const {binary = options.runtime, root = layout.runtimeRoot, ...how} = request?.runtime ?? {}
  const runtime = createRunc({
    ...how,
    binary,
    root,
    logDir: layout.stateDir,
    onSpawn: (pid) => {
      reaper.spawned(pid)
      failpoints.onSpawn()
    },
    onReaped: (pid) => {
      reaper.forget(pid)
      failpoints.onReaped()
    },
  })
  const kept = work.type === 'recover' ? work.kept : []
  for (const {fd} of kept) setCloseOnExec(fd)
  const watch = createProcessWatcher({reaper, clock, findKept: (identity) => findKeptProcess(kept, identity)})
  const oom = createOomWatch({clock, onOom: (data) => void loop.observe({type: 'container.oom', data}, toOwnOrigin())})
  const init = createInitProcess({
    watch,
    clock,
    onSignal: oom.look,
    onExit: (exit, source, usage) => {
      execs.killAll()
      const exitedAt = new Date(clock.now()).toISOString()
      const oomKilled = oom.hasEnded(exit)
      return loop.observe(
        {type: 'container.exited', data: {exit, exitedAt, source, ...(usage && {usage}), ...(oomKilled && {oomKilled})}},
        toOwnOrigin(),
      )
    },
  })
  const execs = createExecEffects(
    {
      runtime,
      outputs,
      watch,
      clock,
      reaper,
      prepareProcess: (spec, {processFile}) =>
        writeExecProcess(spec, {bundle: loop.ledger.snapshot.context.bundle ?? layout.stateDir, processFile}),
      hold: async (exec) => {
        const connection = link.session()
        const ask = () =>
          connection?.request(subjects.nodeCommand(node, 'hold'), encodeJson({namespace, id, exec}), {timeout: holdAnswerMs})
        // Without a coordinator there is nobody to hold them.
        await ask()?.catch(() => {})
      },
      loop: () => loop,
    },
    {containerId: id, layout},
  )
  const health = createHealthChecks({
    probe: createProbe(
      {
        runtime,
        watch,
        clock,
        reaper,
        openStdio: (place, onOutput) =>
          openProcessStdio({...place, stdin: false, terminal: false, rotation: checkLog, now: clock.now, onOutput}),
        prepareProcess: (spec, processFile) =>
          writeExecProcess(spec, {bundle: loop.ledger.snapshot.context.bundle ?? layout.stateDir, processFile}),
      },
      {containerId: id, dir: join(layout.runDir, 'health')},
    ),
    clock,
    loop: () => loop,
  })
  const handlers = createEffectHandlers(
    {
      runtime,
      init,
      outputs,
      clock,
      reaper,
      prepareBundle: (request) =>
        prepareBundle(request, {
          dir: layout.stateDir,
          containerId: id,
          cgroupsPath: how.systemdCgroup ? layout.systemdCgroupsPath : layout.cgroupsPath,
          host,
          findInit: (other) =>
            findInit(() => readJournalFile(toContainerLayout(options, {namespace, id: other}, '').journal), {namespace, id: other}),
        }),
      unmountRootfs: () => unmountBelow(layout.stateDir),
      ofExecs: execs.handlers,
      ofRestarts: createRestartEffects({clock, random: Math.random, loop: () => loop}),
      health,
      loop: () => loop,
      end: () => void end(),
    },
    {address, layout, limitsSwap: host.limitsSwap ?? false},
  )
  const loop: Loop = createLoop(
    {
      journal: failpoints.journal(journal),
      clock,
      logger: log,
      runEffect: failpoints.effects((effect, cause) => runEffect(handlers, effect, cause)),
      onEvent,
    },
    {address, uid},
  )
  let service: ContainerService | undefined
  if (work.type === 'recover') await recover()
  service = serveContainer({
    address,
    uid,
    version,
    loop,
    outputs,
    layout,
    stats: createStats({
      ledger: () => loop.ledger,
      publish: (sample) => link.session()?.publish(subjects.stats(address), encodeJson(sample)),
      clock,
    }),
    link,
    outbox,
    subjects,
    clock,
    logger: log,
  })
  return loop

  function onEvent(event: LedgerEvent): void {
    outbox.poke()
    if ((event.type === 'container.created' || event.type === 'container.started') && event.data.init)
      oom.watch(event.data.init.pid, event.data.cgroups ?? [], 0)
    const {init: identity, cgroups, oom: told} = loop.ledger.snapshot.context
    if (event.type === 'container.updated' && identity) oom.watch(identity.pid, cgroups, told?.killed ?? 0)
    if (event.type !== 'container.exited') return
    oom[Symbol.dispose]()
    health.end()
  }

  /** For what nobody asked for. */
  function toOwnOrigin(): Origin {
    return {actor: 'supervisor', correlationId: loop.ledger.latest?.correlationId ?? uid}
  }

  async function recover(): Promise<void> {
    const {init: identity, cgroups, exited, terminal, request, stdinClosed, oom: told} = loop.ledger.snapshot.context
    const isKnown = (process: ProcessIdentity) => isSameProcess(process) || findKeptProcess(kept, process) !== undefined
    const initAlive = identity !== undefined && !exited && isKnown(identity)
    // What it had begun goes on, and would come in between.
    await runtime.settled()
    const isExecuted = await runtime.isExecuted(id, identity && isSameProcess(identity) ? identity.pid : undefined)
    const {status} = (await runtime.state(id).catch(() => undefined)) ?? {}
    const plan = planRecovery(loop.ledger, {
      initAlive,
      isExecuted,
      isRebooted: identity !== undefined && identity.bootId !== readBootId(),
      runtimeStatus: status,
      findExec: (exec) => findExecProcess(layout.exec(exec), cgroups),
      now: new Date(clock.now()).toISOString(),
    })
    const origin = {actor: 'supervisor', correlationId: loop.ledger.latest?.correlationId ?? uid}
    const found = `${loop.ledger.latest?.type ?? 'an empty journal'}; init ${initAlive ? 'alive' : 'gone'}; runtime says ${status ?? 'nothing'}`
    log.warn({found}, 'taking over from a supervisor that died')
    if (!loop.ledger.latest) return await end()
    // Nothing to take over, but the last of its events may have to be published.
    if (loop.ledger.snapshot.status === 'done') return void end()
    await loop.observe(
      {type: 'supervisor.adopted', data: {supervisorPid: process.pid, found, ...toMended(journal.repair, takenBack)}},
      origin,
    )
    if (plan.facts.some(({type}) => type === 'container.create-failed') || plan.isRestoreUndone)
      await runtime.delete(id, {force: true}).catch((error: unknown) => log.warn({err: error}, 'rollback'))
    // Also after the exit: something may still wait in the FIFOs, and the log is read through it.
    if (identity) {
      const master = findKeptTerminal(kept)
      await outputs.of().open({stdin: request?.stdin === true && !stdinClosed, terminal, master, rotation: request?.log, again: true})
      await outputs.of().handOver()
    }
    for (const {exec, stdin, terminal} of plan.opened) {
      await outputs.of(exec).open({stdin, terminal, master: findKeptTerminal(kept, exec), again: true})
      await outputs.of(exec).handOver()
    }
    if (identity && !exited) oom.watch(identity.pid, cgroups, told?.killed ?? 0)
    for (const fact of plan.facts) void loop.observe(fact, origin)
    for (const {exec, process} of plan.watched) execs.watchExec(exec, process)
    if (identity && initAlive) init.readopt(identity, cgroups)
    loop.resume(plan.effects)
  }

  /** Everything is told: first the stream must have it, then the directory goes, then we do. */
  async function end(): Promise<void> {
    while (!(await outbox.whenAcknowledged(journal.latestSequence(), 60_000))) log.info('waiting for the stream to confirm the last event')
    // Behind a bind are other people's files.
    unmountBelow(layout.stateDir)
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
